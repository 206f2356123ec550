#include "imap/write.h"

#include "base/utf8.h"
#include "mime/date.h"
#include "mime/utf7.h"
#include "store/store.h"

/* Clients take names in quotes as well as without; people read them more easily without. */
static bool is_atom(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alnum((unsigned char)s.p[i]) && !strchr("-_.&+,/", s.p[i]))
			return false;
	return s.n > 0 && !str_eq_nocase(s, STR("NIL"));
}

/* RFC 9051 section 9: QUOTED-CHAR has UTF-8 in it, once the client enabled that. */
static void write_utf8_name(struct buf *b, struct str name)
{
	bool quotable = utf8_is_valid(name) && str_find_byte(name, '\0') < 0 &&
			str_find_byte(name, '\r') < 0 && str_find_byte(name, '\n') < 0;

	if (!quotable) {
		imap_write_string(b, name);
		return;
	}
	buf_putc(b, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, name.p[i]);
	}
	buf_putc(b, '"');
}

static void write_utf7_name(struct buf *b, struct str name)
{
	auto_buf struct buf utf7;

	/* Base64 of UTF-16: a byte of ASCII control can take six. */
	buf_init(&utf7, NULL, 8 * STORE_NAME_MAX);
	/* The store's names are UTF-8; should one not be, its bytes are what there is. */
	if (mime_utf7_encode(name, &utf7) < 0)
		buf_put_str(&utf7, name);
	if (is_atom(buf_str(&utf7)))
		buf_put_str(b, buf_str(&utf7));
	else
		imap_write_string(b, buf_str(&utf7));
}

void imap_write_mailbox(struct buf *b, struct str name, bool utf8)
{
	if (!utf8)
		write_utf7_name(b, name);
	else if (is_atom(name))
		buf_put_str(b, name);
	else
		write_utf8_name(b, name);
}

void imap_write_date_time(struct buf *b, int64_t seconds)
{
	struct mime_date date = { .unix_s = seconds };

	buf_putc(b, '"');
	mime_date_imap_write(b, &date);
	buf_putc(b, '"');
}

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{ STORE_ANSWERED, "\\Answered" }, { STORE_FLAGGED, "\\Flagged" },
	{ STORE_DELETED, "\\Deleted" },	  { STORE_SEEN, "\\Seen" },
	{ STORE_DRAFT, "\\Draft" },	  { STORE_RECENT, "\\Recent" },
};

void imap_write_flags(struct buf *b, uint32_t flags, uint64_t keywords,
		      const struct imap_keywords *known)
{
	const char *space = "";

	buf_putc(b, '(');
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
		if (!(flags & flag_names[i].flag))
			continue;
		buf_puts(b, space);
		buf_puts(b, flag_names[i].name);
		space = " ";
	}
	for (unsigned i = 0; keywords && i < known->n; i++, keywords >>= 1) {
		if (!(keywords & 1) || known->names[i].n == 0)
			continue;
		buf_puts(b, space);
		buf_put_str(b, known->names[i]);
		space = " ";
	}
	buf_putc(b, ')');
}
