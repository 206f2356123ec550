#include "imap/flags.h"

#include "base/arena.h"
#include "imap/lexer.h"
#include "store/store.h"

#define KEYWORDS_MAX 100

static const struct {
	const char *name;
	uint32_t flag;
} system_flags[] = {
	{ "\\Seen", STORE_SEEN },	{ "\\Answered", STORE_ANSWERED },
	{ "\\Flagged", STORE_FLAGGED }, { "\\Deleted", STORE_DELETED },
	{ "\\Draft", STORE_DRAFT },	{ "\\Recent", 0 },
};

struct flags {
	uint32_t flags;
	struct str *keywords;
	size_t n;
};

static int add_flag(struct imap_lexer *lx, struct flags *f)
{
	struct str name;

	int r = imap_lexer_flag(lx, &name);
	if (r < 0)
		return r;
	if (name.p[0] == '\\') {
		for (size_t i = 0; i < ARRAY_LEN(system_flags); i++)
			if (str_eq_nocase(name, str_from(system_flags[i].name))) {
				f->flags |= system_flags[i].flag;
				return 0;
			}
		return imap_lexer_bad(lx, "Unknown system flag");
	}
	if (name.n > STORE_KEYWORD_LEN)
		return imap_lexer_bad(lx, "The keyword is too long");
	if (f->n == KEYWORDS_MAX)
		return imap_lexer_bad(lx, "Too many keywords");
	if (!f->keywords)
		f->keywords = ARENA_NEW_ARRAY(lx->arena, struct str, KEYWORDS_MAX);
	f->keywords[f->n++] = name;
	return 0;
}

static int add_flags(struct imap_lexer *lx, struct store_mark *out)
{
	struct flags f = { 0 };
	int r;

	do {
		r = add_flag(lx, &f);
		if (r < 0)
			return r;
	} while (imap_lexer_accept(lx, ' '));
	*out = (struct store_mark){ .flags = f.flags, .keywords = f.keywords, .nkeywords = f.n };
	return 0;
}

int imap_flags_parse_list(struct imap_lexer *lx, struct store_mark *out)
{
	int r = imap_lexer_expect(lx, '(');
	if (r < 0)
		return r;
	if (imap_lexer_accept(lx, ')')) {
		*out = (struct store_mark){ 0 };
		return 0;
	}
	r = add_flags(lx, out);
	return r < 0 ? r : imap_lexer_expect(lx, ')');
}

int imap_flags_parse(struct imap_lexer *lx, struct store_mark *out)
{
	return imap_lexer_look(lx) == '(' ? imap_flags_parse_list(lx, out) : add_flags(lx, out);
}

uint32_t imap_flags_allowed(uint32_t rights)
{
	uint32_t flags = 0;

	if (rights & STORE_RIGHT_SEEN)
		flags |= STORE_SEEN;
	if (rights & STORE_RIGHT_DELETED)
		flags |= STORE_DELETED;
	if (rights & STORE_RIGHT_WRITE)
		flags |= STORE_FLAGS_ALL & ~(uint32_t)(STORE_SEEN | STORE_DELETED);
	return flags;
}
