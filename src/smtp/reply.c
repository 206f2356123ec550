#include "smtp/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/fiber.h"
#include "smtp/report.h"
#include "smtp/session.h"

/* RFC 5321 4.5.3.1.5: 512 with CRLF; addresses that we repeat may be longer than it thought. */
#define REPLY_MAX 1000

struct reply_text {
	char c[REPLY_MAX + 3];
	size_t n;
};

/* Cut before a code point, not inside it. */
static void cut(struct reply_text *t, int n)
{
	t->n = n < 0 ? 0 : (size_t)n;
	if (t->n <= REPLY_MAX)
		return;
	t->n = REPLY_MAX;
	while (t->n && ((unsigned char)t->c[t->n] & 0xc0) == 0x80)
		t->n--;
}

static void clean(struct reply_text *t, bool utf8)
{
	for (size_t i = 0; i < t->n; i++) {
		unsigned char c = (unsigned char)t->c[i];
		if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8))
			t->c[i] = '?';
	}
}

static void format(struct smtp_session *s, struct reply_text *t, const char *fmt, va_list ap)
{
	cut(t, vsnprintf(t->c, REPLY_MAX + 1, fmt, ap));
	clean(t, s->tx && s->tx->params.flags & ENVELOPE_SMTPUTF8);
	check(t->n >= 4 && ascii_is_digit((unsigned char)t->c[0]));
	t->c[t->n] = '\0';
}

static void put_line(struct smtp_session *s, struct reply_text *t)
{
	memcpy(t->c + t->n, "\r\n", 2);
	stream_write(s->stream, str_of(t->c, t->n + 2));
	t->c[t->n] = '\0';
}

/* Every refusal counts, and past half of what is allowed each takes its time. */
static void note_code(struct smtp_session *s, unsigned code)
{
	s->last_code = code;
	if (code < 400)
		return;
	s->errors++;
	if (s->errors > (unsigned)s->settings->smtp_errors_max / 2)
		(void)!fiber_sleep(s->settings->smtp_error_delay);
}

static unsigned code_of(const struct reply_text *t)
{
	return (unsigned)(t->c[0] - '0') * 100 + (unsigned)(t->c[1] - '0') * 10 +
	       (unsigned)(t->c[2] - '0');
}

void smtp_reply(struct smtp_session *s, const char *fmt, ...)
{
	struct reply_text t;
	va_list ap;
	va_start(ap, fmt);
	format(s, &t, fmt, ap);
	va_end(ap);
	note_code(s, code_of(&t));
	put_line(s, &t);
}

void smtp_say(struct smtp_session *s, const char *fmt, ...)
{
	struct reply_text t;
	va_list ap;
	va_start(ap, fmt);
	format(s, &t, fmt, ap);
	va_end(ap);
	put_line(s, &t);
}

void smtp_refuse(struct smtp_session *s, struct str rcpt, const char *fmt, ...)
{
	struct reply_text t;
	va_list ap;
	va_start(ap, fmt);
	format(s, &t, fmt, ap);
	va_end(ap);
	smtp_report_reject(s, rcpt, str_of(t.c, t.n));
	note_code(s, code_of(&t));
	put_line(s, &t);
}

void smtp_reply_lines(struct smtp_session *s, unsigned code, const struct str *lines, size_t count)
{
	note_code(s, code);
	for (size_t i = 0; i < count; i++)
		stream_printf(s->stream, "%u%c%" STR_FMT "\r\n", code, i + 1 < count ? '-' : ' ',
			      STR_ARG(lines[i]));
}
