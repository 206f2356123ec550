#include <arpa/inet.h>

#include "filter/spf.h"

#define VALUE_MAX 256

/* A quoted string (RFC 5322 3.2.4) of what a peer said. */
static void put_quoted(struct buf *out, struct str s)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n && i < VALUE_MAX; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			buf_putc(out, '\\');
		buf_putc(out, c < ' ' || c == 0x7f ? '?' : (char)c);
	}
	buf_putc(out, '"');
}

/* What stands in a comment, where brackets would end it. */
static void put_plain(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n && i < VALUE_MAX; i++) {
		unsigned char c = (unsigned char)s.p[i];
		buf_putc(out, c <= ' ' || c >= 0x7f || strchr("()\\\"", c) ? '?' : (char)c);
	}
}

static const char *sentence(enum spf_result r)
{
	switch (r) {
	case SPF_PASS:
		return "designates";
	case SPF_FAIL:
		return "does not designate";
	case SPF_SOFTFAIL:
		return "does rather not designate";
	default:
		return "neither permits nor denies";
	}
}

void spf_write_received(struct buf *out, const struct spf_question *q, const struct spf_answer *s)
{
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(q->address.n == 4 ? AF_INET : AF_INET6, q->address.p, address, sizeof(address));
	buf_printf(out, "Received-SPF: %s (%" STR_FMT ": ", spf_result_name(s->result),
		   STR_ARG(q->receiver));
	if (s->reason) {
		buf_puts(out, s->reason);
	} else {
		buf_puts(out, "domain of ");
		put_plain(out, s->by_helo ? q->helo : q->sender);
		buf_printf(out, " %s %s as permitted sender", sentence(s->result), address);
	}
	buf_printf(out, ")\r\n\tclient-ip=%s; envelope-from=", address);
	put_quoted(out, q->sender);
	buf_puts(out, ";\r\n\thelo=");
	put_quoted(out, q->helo);
	buf_printf(out, "; receiver=%" STR_FMT "; identity=%s", STR_ARG(q->receiver),
		   s->by_helo ? "helo" : "mailfrom");
	if (s->mechanism.n) {
		buf_puts(out, ";\r\n\tmechanism=");
		put_quoted(out, s->mechanism);
	}
	buf_puts(out, "\r\n");
}
