#include "imap/metadata_args.h"

#include <limits.h>

#include "base/arena.h"
#include "imap/lexer.h"
#include "imap/mailbox_name.h"

#define ENTRY_MAX 1000 /* bytes of a name */

/* RFC 5464 3.2: "/private/" or "/shared/" and components that are not empty, in ASCII without the
 * wildcards of LIST. */
static bool is_entry(struct str name)
{
	if (name.n > ENTRY_MAX || name.p[name.n - 1] == '/' || str_find(name, STR("//")) >= 0 ||
	    !(str_starts_nocase(name, STR("/private/")) ||
	      str_starts_nocase(name, STR("/shared/"))))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (c <= ' ' || c >= 0x7f || c == '*' || c == '%')
			return false;
	}
	return true;
}

static int may_suspend parse_entry(struct imap_lexer *lx, struct str *out)
{
	struct str name;

	int r = imap_lexer_astring(lx, &name);
	if (r < 0)
		return r;
	if (name.n == 0 || !is_entry(name))
		return imap_lexer_bad(lx, "An entry begins with /private/ or /shared/");
	*out = name;
	return 0;
}

static int parse_depth(struct imap_lexer *lx, unsigned *out)
{
	struct str word;

	int r = imap_lexer_atom(lx, &word);
	if (r < 0)
		return r;
	if (str_eq(word, STR("0")))
		*out = 0;
	else if (str_eq(word, STR("1")))
		*out = 1;
	else if (str_eq_nocase(word, STR("infinity")))
		*out = UINT_MAX;
	else
		return imap_lexer_bad(lx, "DEPTH is 0, 1 or infinity");
	return 0;
}

static int parse_options(struct imap_lexer *lx, struct imap_getmetadata_args *out)
{
	uint32_t size;
	int r;

	do {
		if (imap_lexer_accept_word(lx, "MAXSIZE")) {
			if ((r = imap_lexer_space(lx)) == 0 &&
			    (r = imap_lexer_number(lx, &size)) == 0)
				out->max_size = size;
		} else if (imap_lexer_accept_word(lx, "DEPTH")) {
			if ((r = imap_lexer_space(lx)) == 0)
				r = parse_depth(lx, &out->depth);
		} else {
			r = imap_lexer_bad(lx, "Unknown option");
		}
		if (r < 0)
			return r;
	} while (imap_lexer_accept(lx, ' '));
	return imap_lexer_expect(lx, ')');
}

static int may_suspend parse_entries(struct imap_lexer *lx, struct imap_getmetadata_args *out)
{
	int r;

	out->entries = ARENA_NEW_ARRAY(lx->arena, struct str, IMAP_METADATA_ENTRIES_MAX);
	if (!imap_lexer_accept(lx, '(')) {
		out->n = 1;
		return parse_entry(lx, &out->entries[0]);
	}
	do {
		if (out->n == IMAP_METADATA_ENTRIES_MAX)
			return imap_lexer_bad(lx, "Too many entries");
		r = parse_entry(lx, &out->entries[out->n]);
		if (r < 0)
			return r;
		out->n++;
	} while (imap_lexer_accept(lx, ' '));
	return imap_lexer_expect(lx, ')');
}

int imap_getmetadata_args_parse(struct imap_lexer *lx, struct imap_getmetadata_args *out)
{
	int r;

	*out = (struct imap_getmetadata_args){ .max_size = UINT64_MAX };
	if ((r = imap_lexer_space(lx)) < 0)
		return r;
	if (imap_lexer_accept(lx, '(') &&
	    ((r = parse_options(lx, out)) < 0 || (r = imap_lexer_space(lx)) < 0))
		return r;
	if ((r = imap_lexer_mailbox(lx, &out->box)) < 0 || (r = imap_lexer_space(lx)) < 0 ||
	    (r = parse_entries(lx, out)) < 0)
		return r;
	return imap_lexer_end(lx);
}

/* A value, or NIL, which removes the entry. */
static int may_suspend parse_value(struct imap_lexer *lx, struct str *out)
{
	if (imap_lexer_accept(lx, '~') && imap_lexer_look(lx) != '{')
		return imap_lexer_bad(lx, "Expected a literal");
	return imap_lexer_nstring(lx, out);
}

int imap_setmetadata_args_parse(struct imap_lexer *lx, struct imap_setmetadata_args *out)
{
	struct str box;
	int r;

	*out = (struct imap_setmetadata_args){ .v = ARENA_NEW_ARRAY(lx->arena, struct store_meta,
								    IMAP_METADATA_ENTRIES_MAX) };
	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_mailbox(lx, &box)) < 0 ||
	    (r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_expect(lx, '(')) < 0)
		return r;
	do {
		if (out->n == IMAP_METADATA_ENTRIES_MAX)
			return imap_lexer_bad(lx, "Too many entries");
		struct store_meta *m = &out->v[out->n];
		m->box = box;
		if ((r = parse_entry(lx, &m->entry)) < 0 || (r = imap_lexer_space(lx)) < 0 ||
		    (r = parse_value(lx, &m->value)) < 0)
			return r;
		out->n++;
	} while (imap_lexer_accept(lx, ' '));
	r = imap_lexer_expect(lx, ')');
	return r < 0 ? r : imap_lexer_end(lx);
}
