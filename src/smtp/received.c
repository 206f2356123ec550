#include "smtp/received.h"

#include "mime/date.h"

const char *smtp_protocol_name(const struct smtp_trace *t)
{
	static const char *const ascii[2][2] = { { "ESMTP", "ESMTPA" }, { "ESMTPS", "ESMTPSA" } };
	static const char *const utf8[2][2] = { { "UTF8SMTP", "UTF8SMTPA" },
						{ "UTF8SMTPS", "UTF8SMTPSA" } };
	if (!t->esmtp)
		return "SMTP";
	return t->utf8 ? utf8[t->tls][t->authenticated] : ascii[t->tls][t->authenticated];
}

/* What a client calls itself, made harmless for a header line. */
static void write_helo(struct buf *out, struct str helo)
{
	for (size_t i = 0; i < helo.n; i++) {
		unsigned char c = (unsigned char)helo.p[i];
		bool plain = c > ' ' && c != 0x7f && !strchr("()<>\\\"", c);
		buf_putc(out, plain ? (char)c : '?');
	}
}

static void write_from(struct buf *out, const struct smtp_trace *t)
{
	bool ipv6 = strchr(t->client_address, ':') != NULL;
	buf_puts(out, "from ");
	write_helo(out, t->helo);
	/* RFC 5321 4.4: TCP-info. */
	buf_printf(out, " (%s [%s%s])\r\n", t->client_name, ipv6 ? "IPv6:" : "", t->client_address);
	if (t->tls)
		buf_printf(out, "\t(using %s with cipher %s (%d bits))\r\n", t->tls_version,
			   t->tls_cipher, t->tls_bits);
	buf_puts(out, "\t");
}

void smtp_received_write(struct buf *out, const struct smtp_trace *t)
{
	buf_puts(out, "Received: ");
	if (!t->submitted)
		write_from(out, t);
	buf_printf(out, "by %s (Posthorn) with %s id %s", t->fqdn, smtp_protocol_name(t), t->id);
	if (t->recipient.n) {
		buf_puts(out, "\r\n\tfor <");
		buf_put_str(out, t->recipient);
		buf_puts(out, ">");
	}
	if (t->has_priority)
		buf_printf(out, "\r\n\tPRIORITY %d", t->priority);
	buf_puts(out, ";\r\n\t");
	struct mime_date now = { .unix_s = t->unix_s };
	mime_date_write(out, &now);
	buf_puts(out, "\r\n");
}
