#include "mime/envelope.h"

#include "base/arena.h"
#include "mime/nstring.h"
#include "mime/address.h"
#include "mime/header.h"

enum envelope_field {
	ENVELOPE_DATE,
	ENVELOPE_SUBJECT,
	ENVELOPE_FROM,
	ENVELOPE_SENDER,
	ENVELOPE_REPLY_TO,
	ENVELOPE_TO,
	ENVELOPE_CC,
	ENVELOPE_BCC,
	ENVELOPE_IN_REPLY_TO,
	ENVELOPE_MESSAGE_ID,
	ENVELOPE_FIELDS
};

static const struct str field_names[ENVELOPE_FIELDS] = {
	[ENVELOPE_DATE] = STR_INIT("Date"),
	[ENVELOPE_SUBJECT] = STR_INIT("Subject"),
	[ENVELOPE_FROM] = STR_INIT("From"),
	[ENVELOPE_SENDER] = STR_INIT("Sender"),
	[ENVELOPE_REPLY_TO] = STR_INIT("Reply-To"),
	[ENVELOPE_TO] = STR_INIT("To"),
	[ENVELOPE_CC] = STR_INIT("Cc"),
	[ENVELOPE_BCC] = STR_INIT("Bcc"),
	[ENVELOPE_IN_REPLY_TO] = STR_INIT("In-Reply-To"),
	[ENVELOPE_MESSAGE_ID] = STR_INIT("Message-ID"),
};

/* The first field of each name counts. */
static void collect(struct str header, struct str values[ENVELOPE_FIELDS])
{
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_begin(&it, header, MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) == 1) {
		if (f.is_garbage)
			continue;
		for (int i = 0; i < ENVELOPE_FIELDS; i++)
			if (!values[i].p && str_eq_nocase(f.name, field_names[i]))
				values[i] = f.value.p ? f.value : STR("");
	}
}

static void write_text(struct buf *b, struct str value, struct arena *a)
{
	if (value.p)
		value = mime_field_unfold(value, a);
	mime_nstring_write(b, value);
}

static struct str nil_if_empty(struct str s)
{
	return s.n ? s : STR_NONE;
}

static void write_address(struct buf *b, const struct mime_addr *ad)
{
	switch (ad->kind) {
	case MIME_ADDR_GROUP_START:
		buf_puts(b, "(NIL NIL ");
		mime_string_write(b, ad->name);
		buf_puts(b, " NIL)");
		return;
	case MIME_ADDR_GROUP_END:
		buf_puts(b, "(NIL NIL NIL NIL)");
		return;
	case MIME_ADDR_MAILBOX:
		break;
	}
	buf_putc(b, '(');
	mime_nstring_write(b, nil_if_empty(ad->name));
	buf_putc(b, ' ');
	mime_nstring_write(b, nil_if_empty(ad->route));
	buf_putc(b, ' ');
	/* NIL in the place of the local part or the host would mean a group. */
	mime_string_write(b, ad->local);
	buf_putc(b, ' ');
	mime_string_write(b, ad->domain);
	buf_putc(b, ')');
}

static struct mime_addr_list addresses(struct str value, struct arena *a)
{
	struct mime_addr_list list = { 0 };

	if (value.p)
		mime_addr_list_parse(value, MIME_ADDR_LIMITS, a, &list);
	return list;
}

static void write_addresses(struct buf *b, const struct mime_addr_list *list)
{
	buf_putc(b, ' ');
	if (list->n == 0) {
		buf_puts(b, "NIL");
		return;
	}
	buf_putc(b, '(');
	for (size_t i = 0; i < list->n; i++)
		write_address(b, &list->items[i]);
	buf_putc(b, ')');
}

void mime_envelope_write(struct buf *b, struct str header, struct arena *a)
{
	struct str values[ENVELOPE_FIELDS] = { 0 };

	collect(header, values);
	buf_putc(b, '(');
	write_text(b, values[ENVELOPE_DATE], a);
	buf_putc(b, ' ');
	write_text(b, values[ENVELOPE_SUBJECT], a);

	struct mime_addr_list from = addresses(values[ENVELOPE_FROM], a);
	write_addresses(b, &from);
	for (int i = ENVELOPE_SENDER; i <= ENVELOPE_BCC; i++) {
		struct mime_addr_list list = addresses(values[i], a);
		/* RFC 3501 7.4.2: absent or empty, these are the same as From. */
		if (list.n == 0 && (i == ENVELOPE_SENDER || i == ENVELOPE_REPLY_TO))
			list = from;
		write_addresses(b, &list);
	}
	buf_putc(b, ' ');
	write_text(b, values[ENVELOPE_IN_REPLY_TO], a);
	buf_putc(b, ' ');
	write_text(b, values[ENVELOPE_MESSAGE_ID], a);
	buf_putc(b, ')');
}
