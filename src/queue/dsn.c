#include "queue/dsn.h"

#include <inttypes.h>

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

static void put_header(struct buf *out, const struct dsn *d)
{
	bool failed = d->action == DSN_FAILED;

	put_date(out, "Date: ", d->now_s);
	buf_printf(out, "From: MAILER-DAEMON@%" STR_FMT " (Mail Delivery System)\r\n",
		   STR_ARG(d->fqdn));
	put_field(out, d, "To: ", d->envelope->sender);
	buf_printf(out, "Subject: %s\r\n",
		   failed ? "Undelivered Mail Returned to Sender"
			  : "Successful Mail Delivery Report");
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

static void put_notice(struct buf *out, const struct dsn *d)
{
	put_part(out, d, "Notification",
		 is_international(d) ? "text/plain; charset=utf-8"
				     : "text/plain; charset=us-ascii");
	if (is_international(d))
		buf_puts(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_printf(out, "\r\nThis is the mail server %" STR_FMT ".\r\n\r\n", STR_ARG(d->fqdn));
	if (d->action == DSN_FAILED)
		buf_puts(out,
			 "Your message could not be delivered to the recipient below. It will\r\n"
			 "not be tried again. If you ask your postmaster for help, send this\r\n"
			 "report along; what you wrote is attached to it.\r\n\r\n");
	else
		buf_puts(out,
			 "Your message was delivered to the recipient below, as you asked to\r\n"
			 "be told.\r\n\r\n");
	put_field(out, d, "    ",
		  d->recipient->original.n ? d->recipient->original : d->recipient->address);
	put_field(out, d, "    ", d->text);
}

static void put_status(struct buf *out, const struct dsn *d)
{
	bool international = is_international(d);
	const struct envelope_recipient *r = d->recipient;

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
	buf_puts(out, "\r\n");

	if (r->orcpt.n)
		put_field(out, d, "Original-Recipient: ", r->orcpt);
	put_field(out, d,
		  international && has_8bit(r->address) ? "Final-Recipient: utf-8; "
							: "Final-Recipient: rfc822; ",
		  r->address);
	buf_printf(out, "Action: %s\r\n", d->action == DSN_FAILED ? "failed" : "delivered");
	put_field(out, d, "Status: ", d->status);
	put_field(out, d, "Diagnostic-Code: X-Posthorn; ", d->text);
}

static void put_original(struct buf *out, const struct dsn *d)
{
	const char *type;

	if (is_international(d))
		type = d->only_header ? "message/global-headers" : "message/global";
	else
		type = d->only_header ? "text/rfc822-headers" : "message/rfc822";
	put_part(out, d, d->action == DSN_FAILED ? "Undelivered Message" : "Message", type);
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
