#include "store/maildir/acl_file.h"

#include "base/arena.h"

static const struct {
	const char *word;
	uint32_t right;
} words[] = {
	{ "lookup", STORE_RIGHT_LOOKUP },
	{ "read", STORE_RIGHT_READ },
	{ "write", STORE_RIGHT_WRITE },
	{ "write-seen", STORE_RIGHT_SEEN },
	{ "write-deleted", STORE_RIGHT_DELETED },
	{ "insert", STORE_RIGHT_INSERT },
	{ "post", STORE_RIGHT_POST },
	{ "expunge", STORE_RIGHT_EXPUNGE },
	{ "create", STORE_RIGHT_CREATE },
	{ "delete", STORE_RIGHT_DELETE },
	{ "admin", STORE_RIGHT_ADMIN },
};

static bool parse_words(struct str text, uint32_t *rights)
{
	struct str word;

	while (str_next_word(&text, &word)) {
		uint32_t found = 0;
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (str_eq(word, str_from(words[i].word)))
				found = words[i].right;
		if (!found)
			return false;
		*rights |= found;
	}
	return true;
}

/* An identifier with blanks in it stands in quotes. */
static bool take_id(struct str *line, struct str *id)
{
	struct str whole = *line;

	if (str_starts(whole, STR("\"")))
		return str_cut(str_skip(whole, 1), '"', id, line);
	if (!str_cut(whole, ' ', id, line)) {
		*id = whole;
		*line = STR_NONE;
	}
	return true;
}

static bool line_parse(struct str line, struct arena *a, struct store_acl_entry *out)
{
	struct str id, letters, named = STR_NONE;

	*out = (struct store_acl_entry){ 0 };
	out->negative = str_starts(line, STR("-"));
	if (out->negative)
		line = str_skip(line, 1);
	if (!take_id(&line, &id) || id.n == 0)
		return false;
	(void)str_cut(line, ':', &letters, &named);
	if (!named.p)
		letters = line;
	if (!store_rights_parse(str_trim(letters), &out->rights) ||
	    !parse_words(named, &out->rights))
		return false;
	out->id = arena_str(a, id);
	return true;
}

unsigned acl_file_parse(struct str text, struct arena *a, struct store_acl *out)
{
	unsigned wrong = 0;
	size_t lines = 1;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	*out = (struct store_acl){ .v = ARENA_NEW_ARRAY(a, struct store_acl_entry, lines) };
	STR_FOREACH_LINE (text, line) {
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (out->n < STORE_ACL_MAX && line_parse(line, a, &out->v[out->n]))
			out->n++;
		else
			wrong++;
	}
	return wrong;
}

void acl_file_write(struct buf *out, const struct store_acl *acl)
{
	for (size_t i = 0; i < acl->n; i++) {
		const struct store_acl_entry *e = &acl->v[i];
		bool quote = str_find_byte(e->id, ' ') >= 0 || str_starts(e->id, STR("-")) ||
			     str_starts(e->id, STR("#"));
		buf_puts(out, e->negative ? "-" : "");
		buf_puts(out, quote ? "\"" : "");
		buf_put_str(out, e->id);
		buf_puts(out, quote ? "\" " : " ");
		store_rights_write(out, e->rights);
		buf_putc(out, '\n');
	}
}
