/* IDLE (RFC 2177). */
#include <errno.h>

#include "core/fiber.h"
#include "core/loop.h"
#include "imap/notify.h"
#include "imap/session_state.h"
#include "imap/view.h"

#define DONE_LINE_MAX 100
#define IDLE_TAG_MAX  128

static void wake(void *fiber)
{
	fiber_interrupt(fiber);
}

/* Until the client says something. 1: it did; 0: it was too long silent. */
static int may_suspend watch(struct imap_session *s)
{
	const struct imap_session_limits *limits = &s->params->limits;
	int64_t end = loop_deadline(limits->idle_ms);

	/* What the command before was not allowed to tell is told now. */
	if (s->view) {
		int r = imap_view_sync(s, STORE_SYNC_NO_DISK);
		imap_command_reset(s);
		if (r < 0 || s->ended)
			return r < 0 ? r : 1;
	}
	while (loop_now() < end) {
		int64_t left = end - loop_now();
		int64_t wait = s->view ? limits->idle_poll_ms : left;
		int r = stream_wait_input(s->stream, wait < left ? wait : left);
		if (r == 1 || (r < 0 && r != -EINTR))
			return r;
		if (r == -EINTR) {
			int told = imap_notify_tell(s);
			imap_command_reset(s);
			if (told < 0 || s->ended)
				return told < 0 ? told : 1;
		}
		if (!s->view)
			continue;
		/* Changes in this process wake us, those of others are found on disk. */
		r = imap_view_sync(s, r == -EINTR ? STORE_SYNC_NO_DISK : 0);
		imap_command_reset(s);
		if (r < 0 || s->ended)
			return r < 0 ? r : 1;
	}
	return 0;
}

static int may_suspend read_done(struct imap_session *s)
{
	struct imap_feed *feed = s->lexer.feed;
	struct str line;

	int r = feed->line(feed, &s->arena, DONE_LINE_MAX, &line);
	if (r == -EMSGSIZE || (r == 0 && !str_eq_nocase(str_trim_end(line), STR("DONE"))))
		return imap_lexer_bad(&s->lexer, "Expected DONE");
	return r < 0 ? r : imap_ok(s, "Idle completed.");
}

int imap_cmd_idle(struct imap_session *s)
{
	int r = imap_lexer_end(&s->lexer);
	if (r < 0)
		return r;

	/* The memory of the command is given back for the long wait; the tag is needed after it. */
	char tag[IDLE_TAG_MAX];
	size_t tag_n = s->tag.n;
	if (tag_n > sizeof(tag))
		return imap_lexer_bad(&s->lexer, "The tag is too long");
	memcpy(tag, s->tag.p, tag_n);
	imap_command_reset(s);

	stream_puts(s->stream, "+ idling\r\n");
	if (s->view)
		store_view_watch(s->view, wake, fiber_self());
	r = watch(s);
	if (s->view)
		store_view_watch(s->view, NULL, NULL);
	s->tag = arena_str(&s->arena, str_of(tag, tag_n));
	if (r < 0 || s->ended)
		return r < 0 ? r : 0;
	if (r == 0)
		return imap_bye(s, IMAP_SESSION_TIMEOUT, "Disconnected for inactivity");
	return read_done(s);
}
