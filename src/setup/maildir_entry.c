#include "setup/maildir_entry.h"

#include "base/buf.h"
#include "mime/utf7.h"
#include "store/store.h"

#define NAME_MAX_BYTES ((size_t)4096)

static const struct {
	char letter;
	uint32_t flag;
} letters[] = {
	{ 'D', STORE_DRAFT }, { 'F', STORE_FLAGGED }, { 'R', STORE_ANSWERED },
	{ 'S', STORE_SEEN },  { 'T', STORE_DELETED },
};

struct str maildir_entry_folder(struct str mailbox, struct arena *a)
{
	struct buf b;

	if (str_eq_nocase(mailbox, STR("INBOX")))
		return STR("");
	buf_init(&b, a, NAME_MAX_BYTES);
	buf_putc(&b, '.');
	if (mime_utf7_encode(mailbox, &b) < 0)
		buf_put_str(&b, mailbox);
	buf_putc(&b, '/');
	return buf_str(&b);
}

struct str maildir_entry_message(struct str folder, struct str name, uint32_t flags,
				 uint64_t keywords, struct arena *a)
{
	struct buf b;

	buf_init(&b, a, NAME_MAX_BYTES);
	buf_put_str(&b, folder);
	buf_puts(&b, "cur/");
	buf_put_str(&b, name);
	buf_puts(&b, ":2,");
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (flags & letters[i].flag)
			buf_putc(&b, letters[i].letter);
	for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++)
		if (keywords & (uint64_t)1 << i)
			buf_putc(&b, (char)('a' + i));
	(void)!buf_cstr(&b);
	return buf_str(&b);
}

/* Take the last part off a path. */
static struct str last_part(struct str *path)
{
	ssize_t slash = str_rfind_byte(*path, '/');
	struct str last = str_skip(*path, (size_t)(slash + 1));

	*path = str_sub(*path, 0, slash < 0 ? 0 : (size_t)slash);
	return last;
}

static struct str mailbox_of(struct str folder, struct arena *a)
{
	struct buf b;

	if (folder.n < 2 || folder.p[0] != '.' || folder.p[1] == '.')
		return STR("INBOX");
	folder = str_skip(folder, 1);
	buf_init(&b, a, NAME_MAX_BYTES);
	if (mime_utf7_decode(folder, &b) < 0)
		return arena_str(a, folder);
	return arena_str(a, buf_str(&b));
}

static void take_suffix(struct str name, struct maildir_entry *e)
{
	struct str base, suffix;

	str_cut(name, ':', &base, &suffix);
	if (!str_starts(suffix, STR("2,")))
		return;
	for (size_t i = 2; i < suffix.n; i++) {
		char c = suffix.p[i];
		if (c >= 'a' && c <= 'z')
			e->keywords |= 1u << (c - 'a');
		for (size_t k = 0; k < ARRAY_LEN(letters); k++)
			if (c == letters[k].letter)
				e->flags |= letters[k].flag;
	}
}

struct maildir_entry maildir_entry_parse(struct str path, struct arena *a)
{
	struct maildir_entry e = { .kind = MAILDIR_ENTRY_OTHER };
	struct str name = last_part(&path);

	if (str_eq(name, STR("dovecot-keywords"))) {
		e.kind = MAILDIR_ENTRY_KEYWORDS;
		e.mailbox = mailbox_of(last_part(&path), a);
		return e;
	}
	struct str part = last_part(&path);
	if (name.n == 0 || name.p[0] == '.' ||
	    (!str_eq(part, STR("cur")) && !str_eq(part, STR("new"))))
		return e;
	e.kind = MAILDIR_ENTRY_MESSAGE;
	e.mailbox = mailbox_of(last_part(&path), a);
	take_suffix(name, &e);
	return e;
}

void maildir_entry_keywords(struct str text, struct str names[static MAILDIR_KEYWORDS],
			    struct arena *a)
{
	for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++)
		names[i] = STR_NONE;
	for (struct str line; str_next_line(&text, &line);) {
		struct str number, name;
		uint64_t i;
		if (str_cut(line, ' ', &number, &name) &&
		    str_to_u64(number, MAILDIR_KEYWORDS - 1, &i) == 0)
			names[i] = arena_str(a, name);
	}
}
