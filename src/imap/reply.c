/* Tagged answers, and what else commands share. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/fiber.h"
#include "core/log.h"
#include "core/volume_sync.h"
#include "imap/session_state.h"

#define WORK_BEFORE_YIELD 64

static void set_reply(struct imap_session *s, const char *status, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	check(n >= 0);

	buf_clear(&s->reply);
	buf_puts(&s->reply, status);
	char *p = buf_space(&s->reply, (size_t)n + 1);
	check(p);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	buf_added(&s->reply, (size_t)n);
}

int imap_ok(struct imap_session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_reply(s, "OK ", fmt, ap);
	va_end(ap);
	return 0;
}

int imap_no(struct imap_session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_reply(s, "NO ", fmt, ap);
	va_end(ap);
	return 0;
}

/* Response codes of RFC 5530. */
static const struct {
	int error;
	const char *text;
} store_answers[] = {
	{ ENOENT, "[NONEXISTENT] No such mailbox." },
	{ EEXIST, "[ALREADYEXISTS] The mailbox exists already." },
	{ EINVAL, "[CANNOT] That cannot be the name of a mailbox." },
	{ ENAMETOOLONG, "[CANNOT] The name is too long." },
	{ EPERM, "[CANNOT] This cannot be done to INBOX." },
	{ E2BIG, "[LIMIT] A limit of the account is reached." },
	{ EROFS, "[READ-ONLY] The mailbox is read-only." },
	{ EAGAIN, "[INUSE] The mailbox is in use, try again later." },
	{ EDQUOT, "[OVERQUOTA] Quota exceeded (mailbox for user is full)" },
	{ ENOSPC, "[UNAVAILABLE] No space left, try again later." },
	{ EACCES, "[NOPERM] Permission denied." },
};

void imap_log_failure(struct imap_session *s, const struct err *err)
{
	log_event(LOG_SESSION_FAILED, LOG_CSTR("command", s->command ? s->command : "login"),
		  LOG_REASON(err));
}

int imap_no_store(struct imap_session *s, int r, const struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(store_answers); i++)
		if (store_answers[i].error == -r)
			return imap_no(s, "%s", store_answers[i].text);
	imap_log_failure(s, err);
	return imap_no(s, "[UNAVAILABLE] Internal error, try again later.");
}

int imap_bye(struct imap_session *s, enum imap_session_end end, const char *why)
{
	stream_printf(s->stream, "* BYE %s\r\n", why);
	s->ended = true;
	s->end = end;
	return 0;
}

void imap_send(struct imap_session *s, struct buf *b)
{
	check(!buf_failed(b));
	stream_write(s->stream, buf_str(b));
	buf_clear(b);
}

int imap_work(struct imap_session *s, size_t units)
{
	s->work += units;
	if (s->work < WORK_BEFORE_YIELD)
		return 0;
	s->work = 0;
	return fiber_yield();
}

int imap_commit(struct store_commit *c, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; store_commit_volume(c, i) >= 0 && r == 0; i++)
		r = volume_sync(store_commit_volume(c, i));
	store_commit_free(c);
	return r < 0 ? err_set(err, r, "sync to disk: %s", strerror(-r)) : 0;
}

int imap_commit_view(struct imap_session *s, struct err *err)
{
	struct store_commit *c = store_commit_new();

	int r = store_view_commit(s->view, c, err);
	if (r < 0)
		store_commit_free(c);
	return r < 0 ? r : imap_commit(c, err);
}
