#include "imap/session.h"

#include <errno.h>

#include "core/deflate.h"
#include "core/loop.h"
#include "imap/box.h"
#include "imap/notify.h"
#include "imap/search_context.h"
#include "imap/session_state.h"
#include "imap/view.h"

#define SKIP_MAX ((uint64_t)256 << 20) /* of unwanted literals: about what a large message has */

/* Failing to make a folder is no reason to keep the user from the others. */
static void prepare_folders(struct imap_session *s)
{
	struct err err;

	if (s->prepared)
		return;
	if (store_prepare(s->store, &err) < 0)
		imap_log_failure(s, &err);
	s->prepared = true;
}

static int may_suspend run_command(struct imap_session *s, const struct imap_command *c)
{
	struct imap_lexer *lx = &s->lexer;

	if (s->uid && !(c->needs & IMAP_WITH_UID))
		return imap_lexer_bad(lx, "This command has no UID variant");
	if ((c->needs & IMAP_NEEDS_VIEW) && !s->view)
		return imap_lexer_bad(lx, "No mailbox is selected");
	if ((c->needs & IMAP_NEEDS_WRITE) && s->read_only)
		return imap_no(s, "[READ-ONLY] The mailbox was opened read-only.");
	if (c->needs & IMAP_FOLDERS)
		prepare_folders(s);

	int r = c->run(s);
	if (r < 0 || s->ended || !s->view || (c->needs & IMAP_NO_SYNC))
		return r;
	/* RFC 3501 7.4.1: commands with UIDs leave room for renumbering. */
	bool keep = (c->needs & IMAP_NO_EXPUNGE) && !s->uid;
	return imap_view_sync(s, keep ? STORE_SYNC_KEEP_EXPUNGED : 0);
}

static int may_suspend dispatch(struct imap_session *s)
{
	struct imap_lexer *lx = &s->lexer;
	struct str tag, word;
	int r;

	if ((r = imap_lexer_tag(lx, &tag)) < 0)
		return r;
	s->tag = tag;
	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_atom(lx, &word)) < 0)
		return r;
	s->uid = str_eq_nocase(word, STR("UID"));
	if (s->uid && ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_atom(lx, &word)) < 0))
		return r;
	if (str_eq_nocase(word, STR("LOGIN")) || str_eq_nocase(word, STR("AUTHENTICATE")))
		return imap_lexer_bad(lx, "Already logged in");

	const struct imap_command *c = imap_command_find(word);
	if (!c)
		return imap_lexer_bad(lx, "Unknown command");
	s->command = c->name;
	return run_command(s, c);
}

static int may_suspend answer_bad(struct imap_session *s)
{
	const char *why = s->lexer.bad;

	int r = imap_lexer_skip_rest(&s->lexer);
	if (r < 0 && r != -EFBIG)
		return r;
	if (r == -EFBIG || ++s->errors >= s->params->limits.errors)
		return imap_bye(s, IMAP_SESSION_REFUSED, "Too many invalid commands");
	stream_write(s->stream, s->tag.n ? s->tag : STR("*"));
	stream_printf(s->stream, " BAD %s.\r\n", why);
	return 0;
}

static int may_suspend answer(struct imap_session *s)
{
	/* A command may have been refused before it was read to its end. */
	int r = imap_lexer_skip_rest(&s->lexer);
	if (r == -EFBIG)
		return imap_bye(s, IMAP_SESSION_REFUSED, "[TOOBIG] Too much to read");
	if (r < 0)
		return r;
	s->errors = 0;
	stream_write(s->stream, s->tag);
	stream_puts(s->stream, " ");
	stream_write(s->stream, buf_str(&s->reply));
	stream_puts(s->stream, "\r\n");
	return 0;
}

void imap_command_reset(struct imap_session *s)
{
	arena_reset(&s->arena);
	/* COPYUID of a large mailbox with gaps is the longest: some bytes for each message. */
	buf_init(&s->reply, &s->arena, SIZE_MAX / 2);
	s->tag = STR_NONE;
	s->lexer.line = STR_NONE;
	s->lexer.pos = 0;
	s->lexer.bad = NULL;
}

/* 1 when there is input; 0 when there was none for too long. */
static int may_suspend wait_command(struct imap_session *s)
{
	int r;

	/* Waiting flushes, which the answers to pipelined commands can do without. */
	if (stream_peek(s->stream).n)
		return 1;
	int64_t end = loop_deadline(s->params->limits.idle_ms);
	do {
		imap_notify_watch(s);
		int64_t left = end - loop_now();
		r = stream_wait_input(s->stream, left > 0 ? left : 0);
		if (r != -EINTR)
			return r;
		/* News for NOTIFY, or for an IDLE that is over. */
		r = imap_notify_tell(s);
		imap_command_reset(s);
	} while (r == 0 && !s->ended);
	return r < 0 ? r : 1;
}

static int may_suspend one_command(struct imap_session *s)
{
	imap_command_reset(s);
	int r = wait_command(s);
	if (r == 0)
		return imap_bye(s, IMAP_SESSION_TIMEOUT, "Disconnected for inactivity");
	if (r < 0)
		return r;
	if (s->ended)
		return 0;
	r = imap_lexer_begin(&s->lexer, &s->tag);
	if (r == 0)
		r = dispatch(s);
	if (r == -EBADMSG && s->lexer.bad)
		return answer_bad(s);
	bool said = !s->ended || s->end == IMAP_SESSION_LOGOUT ||
		    s->end == IMAP_SESSION_UNAUTHENTICATED;
	if (r == 0 && said)
		r = answer(s);
	if (r == 0 && s->starts_deflate) {
		s->starts_deflate = false;
		r = deflate_start(s->stream);
	}
	return r;
}

/* RFC 3501 7.1.5: a server that closes the connection says so. */
static enum imap_session_end end_from_error(struct imap_session *s, int r)
{
	switch (r) {
	case -ECANCELED:
		stream_say_last(s->stream, "* BYE Server shutting down.\r\n");
		return IMAP_SESSION_CANCELLED;
	case -ETIMEDOUT:
		stream_say_last(s->stream, "* BYE Disconnected for inactivity.\r\n");
		return IMAP_SESSION_TIMEOUT;
	default:
		return IMAP_SESSION_DISCONNECTED;
	}
}

static int may_suspend serve(struct imap_session *s)
{
	struct err err;

	imap_command_reset(s);
	int r = store_open(s->params->pool, s->params->mail_path, &s->store, &err);
	if (r < 0) {
		imap_log_failure(s, &err);
		s->tag = s->params->tag;
		imap_no(s, "[UNAVAILABLE] The mailbox cannot be opened now, try again later.");
		r = s->tag.n ? answer(s) : 0;
		return r < 0 ? r : imap_bye(s, IMAP_SESSION_REFUSED, "Mailbox unavailable");
	}
	if (s->params->tag.n) {
		s->tag = s->params->tag;
		imap_ok(s, "[CAPABILITY %" STR_FMT "] Logged in.",
			STR_ARG(imap_session_capabilities(s)));
		r = answer(s);
	}
	while (r == 0 && !s->ended)
		r = one_command(s);
	arena_done(&s->saved.arena);
	imap_contexts_done(s);
	imap_notify_end(s);
	store_view_close(s->view);
	s->view = NULL;
	imap_box_done(s);
	store_close(s->store);
	return r;
}

enum imap_session_end imap_session_run(const struct imap_session_params *p)
{
	struct imap_session s = { .params = p, .stream = p->stream };
	struct imap_lexer_limits limits = {
		.line = p->limits.line,
		.literal = p->limits.literal,
		.command = p->limits.line + 4 * p->limits.literal,
		.skip = SKIP_MAX > 2 * p->limits.append ? SKIP_MAX : 2 * p->limits.append,
	};

	imap_input_init(&s.input, s.stream);
	arena_init(&s.arena);
	imap_lexer_init(&s.lexer, &s.input.feed, &s.arena, &limits);
	stream_set_idle(s.stream, p->limits.idle_ms);

	int r = serve(&s);
	if (r < 0 && !s.ended)
		s.end = end_from_error(&s, r);
	if (stream_flush(s.stream) < 0 && !s.ended)
		s.end = IMAP_SESSION_DISCONNECTED;
	arena_done(&s.arena);
	return s.end;
}
