#include "queue/dsn.h"

#include <inttypes.h>
#include <string.h>

#include "mime/date.h"

/* A diagnostic is for people: one line, not a novel. */
#define TEXT_MAX 500

static bool is_international(const struct dsn *d)
{
	return d->envelope->flags & ENVELOPE_SMTPUTF8;
}

/* Text from elsewhere in a header field: one line of printable characters, ASCII unless the
 * message is an international one. */
static void put_text(struct buf *out, const struct dsn *d, struct str text)
{
	for (size_t i = 0; i < text.n && i < TEXT_MAX; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c < 0x20 || c == 0x7f)
			buf_putc(out, ' ');
		else if (c >= 0x80 && !is_international(d))
			buf_putc(out, '?');
		else
			buf_putc(out, (char)c);
	}
}

static void put_field(struct buf *out, const struct dsn *d, const char *name, struct str value)
{
	buf_puts(out, name);
	put_text(out, d, value);
	buf_puts(out, "\r\n");
}

static void put_date(struct buf *out, const char *name, int64_t unix_s)
{
	buf_puts(out, name);
	mime_date_write(out, &(struct mime_date){ .unix_s = unix_s });
	buf_puts(out, "\r\n");
}

static void put_boundary(struct buf *out, const struct dsn *d)
{
	buf_printf(out, "%016" PRIx64 "/%" STR_FMT, d->random, STR_ARG(d->report_id));
}

static bool has_8bit(struct str s)
{
	return !str_is_ascii(s);
}

/* How each kind of report speaks. The subjects are Postfix's: people have filters for them. */
static const struct {
	const char *subject, *action, *original;
	const char *notice;
} words[DSN_ACTIONS] = {
	[DSN_FAILED] = { "Undelivered Mail Returned to Sender", "failed", "Undelivered Message",
			 "Your message could not be delivered to:" },
	[DSN_DELAYED] = { "Delayed Mail (still being retried)", "delayed", "Delayed Message",
			  "Your message has not been delivered yet to:" },
	[DSN_DELIVERED] = { "Successful Mail Delivery Report", "delivered", "Message",
			    "Your message was delivered, as you asked to be told, to:" },
	[DSN_RELAYED] = { "Successful Mail Delivery Report", "relayed", "Message",
			  "Your message was passed on to a server that will not report whether it "
			  "is\r\n"
			  "delivered. The recipients:" },
};

static void put_header(struct buf *out, const struct dsn *d)
{
	put_date(out, "Date: ", d->now_s);
	buf_printf(out, "From: MAILER-DAEMON@%" STR_FMT " (Mail Delivery System)\r\n",
		   STR_ARG(d->fqdn));
	put_field(out, d, "To: ", d->envelope->sender);
	buf_printf(out, "Subject: %s\r\n", words[d->action].subject);
	buf_printf(out, "Message-ID: <%" STR_FMT "@%" STR_FMT ">\r\n", STR_ARG(d->report_id),
		   STR_ARG(d->fqdn));
	/* RFC 3834 5.1: no vacation program answers this. */
	buf_puts(out, "Auto-Submitted: auto-replied\r\n"
		      "MIME-Version: 1.0\r\n"
		      "Content-Type: multipart/report; report-type=delivery-status;\r\n"
		      "\tboundary=\"");
	put_boundary(out, d);
	buf_puts(out, "\"\r\n");
	buf_printf(out, "Content-Transfer-Encoding: %s\r\n\r\n",
		   is_international(d) || has_8bit(d->original) ? "8bit" : "7bit");
	buf_puts(out, "This is a MIME-encapsulated message.\r\n");
}

static void put_part(struct buf *out, const struct dsn *d, const char *description,
		     const char *type)
{
	buf_puts(out, "\r\n--");
	put_boundary(out, d);
	buf_printf(out, "\r\nContent-Description: %s\r\nContent-Type: %s\r\n", description, type);
}

/* The words of a paragraph, in lines of at most 72 columns. */
static void put_paragraph(struct buf *out, struct str text, const char *indent)
{
	struct str word;
	size_t column = 0;

	while (str_next_word(&text, &word)) {
		if (column && column + 1 + word.n > 72) {
			buf_puts(out, "\r\n");
			column = 0;
		}
		buf_puts(out, column ? " " : indent);
		buf_put_str(out, word);
		column += (column ? 1 : strlen(indent)) + word.n;
	}
	buf_puts(out, "\r\n");
}

static void put_duration(struct buf *out, int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *name;
	} units[] = { { 86400000, "day" }, { 3600000, "hour" }, { 60000, "minute" } };

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		int64_t n = ms / units[i].ms;
		if (n < 1)
			continue;
		buf_printf(out, "%" PRId64 " %s%s", n, units[i].name, n == 1 ? "" : "s");
		return;
	}
	buf_puts(out, "a minute");
}

static void put_notice_of(struct buf *out, const struct dsn *d, const struct dsn_recipient *r)
{
	const struct envelope_recipient *rcpt = r->recipient;

	buf_puts(out, "\r\n");
	put_field(out, d, "  ", rcpt->original.n ? rcpt->original : rcpt->address);
	put_field(out, d, "    ", r->text);
	struct str advice = dsn_advice(d->action, r->status);
	if (advice.n)
		put_paragraph(out, advice, "    ");
}

static void put_end_of_notice(struct buf *out, const struct dsn *d)
{
	if (d->action == DSN_DELAYED) {
		buf_puts(out, "\r\nYou need not do anything: it will be tried for ");
		put_duration(out, d->lifetime_ms);
		buf_puts(out, " in all, and you\r\nwill be told if that fails.\r\n");
	} else if (d->action == DSN_FAILED && d->expired) {
		buf_puts(out, "\r\nIt was tried for ");
		put_duration(out, d->lifetime_ms);
		buf_puts(out, " and will not be tried again.\r\n");
	} else if (d->action == DSN_FAILED) {
		buf_puts(out, "\r\nIt will not be tried again.\r\n");
	}
	if (d->action == DSN_FAILED)
		buf_puts(out,
			 "If you ask your postmaster for help, send this report along; what\r\n"
			 "you wrote is attached to it.\r\n");
}

static void put_notice(struct buf *out, const struct dsn *d)
{
	put_part(out, d, "Notification",
		 is_international(d) ? "text/plain; charset=utf-8"
				     : "text/plain; charset=us-ascii");
	if (is_international(d))
		buf_puts(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_printf(out, "\r\nThis is the mail server %" STR_FMT ".\r\n\r\n%s\r\n", STR_ARG(d->fqdn),
		   words[d->action].notice);
	for (size_t i = 0; i < d->count; i++)
		put_notice_of(out, d, &d->recipients[i]);
	put_end_of_notice(out, d);
}

/* "550 5.1.1 unknown" is another server's word, anything else our own. */
static bool is_reply(struct str text)
{
	return text.n > 3 && ascii_is_digit((unsigned char)text.p[0]) &&
	       ascii_is_digit((unsigned char)text.p[1]) &&
	       ascii_is_digit((unsigned char)text.p[2]) && (text.p[3] == ' ' || text.p[3] == '-');
}

/* Of "mx.example.org[192.0.2.1]:25" the name, or without one the address. */
static void put_remote_mta(struct buf *out, const struct dsn *d, struct str relay)
{
	struct str name, address;

	if (!str_cut(relay, '[', &name, &address))
		return;
	if (!name.n)
		str_cut(address, ']', &name, &address);
	put_field(out, d, "Remote-MTA: dns; ", name);
}

static void put_status_of(struct buf *out, const struct dsn *d, const struct dsn_recipient *r)
{
	const struct envelope_recipient *rcpt = r->recipient;
	bool utf8 = is_international(d) && has_8bit(rcpt->address);

	buf_puts(out, "\r\n");
	if (rcpt->orcpt.n)
		put_field(out, d, "Original-Recipient: ", rcpt->orcpt);
	put_field(out, d, utf8 ? "Final-Recipient: utf-8; " : "Final-Recipient: rfc822; ",
		  rcpt->address);
	buf_printf(out, "Action: %s\r\n", words[d->action].action);
	put_field(out, d, "Status: ", r->status);
	put_remote_mta(out, d, r->relay);
	put_field(out, d,
		  is_reply(r->text) ? "Diagnostic-Code: smtp; " : "Diagnostic-Code: X-Posthorn; ",
		  r->text);
	if (d->action == DSN_DELAYED || d->action == DSN_FAILED)
		put_date(out, "Last-Attempt-Date: ", d->now_s);
	if (d->action == DSN_DELAYED)
		put_date(out, "Will-Retry-Until: ", d->arrival_s + d->lifetime_ms / 1000);
}

static void put_status(struct buf *out, const struct dsn *d)
{
	bool international = is_international(d);

	put_part(out, d, "Delivery report",
		 international ? "message/global-delivery-status" : "message/delivery-status");
	if (international)
		buf_puts(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_puts(out, "\r\n");
	if (d->envelope->envid.n)
		put_field(out, d, "Original-Envelope-Id: ", d->envelope->envid);
	put_field(out, d, "Reporting-MTA: dns; ", d->fqdn);
	put_field(out, d, "X-Posthorn-Queue-ID: ", d->id);
	put_date(out, "Arrival-Date: ", d->arrival_s);
	for (size_t i = 0; i < d->count; i++)
		put_status_of(out, d, &d->recipients[i]);
}

static void put_original(struct buf *out, const struct dsn *d)
{
	const char *type;

	if (is_international(d))
		type = d->only_header ? "message/global-headers" : "message/global";
	else
		type = d->only_header ? "text/rfc822-headers" : "message/rfc822";
	put_part(out, d, words[d->action].original, type);
	if (is_international(d) || has_8bit(d->original))
		buf_puts(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_puts(out, "\r\n");
	buf_put_str(out, d->original);
	if (!str_ends(d->original, STR("\r\n")))
		buf_puts(out, "\r\n");
}

void dsn_write(struct buf *out, const struct dsn *d)
{
	put_header(out, d);
	put_notice(out, d);
	put_status(out, d);
	put_original(out, d);
	buf_puts(out, "\r\n--");
	put_boundary(out, d);
	buf_puts(out, "--\r\n");
}

struct str dsn_header_of(struct str message)
{
	ssize_t end = str_find(message, STR("\r\n\r\n"));

	return end < 0 ? message : str_sub(message, 0, (size_t)end + 2);
}
