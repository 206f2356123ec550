#include "imap/fetch_items.h"

#include "base/arena.h"
#include "imap/lexer.h"

#define ITEMS_MAX 100

static const struct {
	const char *name;
	struct imap_fetch_item item;
} plain_items[] = {
	{ "UID", { .kind = IMAP_FETCH_UID } },
	{ "FLAGS", { .kind = IMAP_FETCH_FLAGS } },
	{ "INTERNALDATE", { .kind = IMAP_FETCH_INTERNALDATE } },
	{ "RFC822.SIZE", { .kind = IMAP_FETCH_SIZE } },
	{ "ENVELOPE", { .kind = IMAP_FETCH_ENVELOPE } },
	{ "BODYSTRUCTURE", { .kind = IMAP_FETCH_BODYSTRUCTURE } },
	{ "MODSEQ", { .kind = IMAP_FETCH_MODSEQ } },
	{ "EMAILID", { .kind = IMAP_FETCH_EMAILID } },
	{ "THREADID", { .kind = IMAP_FETCH_THREADID } },
	{ "SAVEDATE", { .kind = IMAP_FETCH_SAVEDATE } },
	{ "BODY", { .kind = IMAP_FETCH_BODY } },
	{ "RFC822", { .kind = IMAP_FETCH_SECTION, .name = "RFC822" } },
	{ "RFC822.HEADER",
	  { .kind = IMAP_FETCH_SECTION,
	    .name = "RFC822.HEADER",
	    .section = { .kind = IMAP_SECTION_HEADER },
	    .peek = true } },
	{ "RFC822.TEXT",
	  { .kind = IMAP_FETCH_SECTION,
	    .name = "RFC822.TEXT",
	    .section = { .kind = IMAP_SECTION_TEXT } } },
};

static const struct {
	const char *name;
	enum imap_fetch_kind kinds[5];
	size_t n;
} macros[] = {
	{ "FAST", { IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_SIZE }, 3 },
	{ "ALL",
	  { IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_SIZE, IMAP_FETCH_ENVELOPE },
	  4 },
	{ "FULL",
	  { IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_SIZE, IMAP_FETCH_ENVELOPE,
	    IMAP_FETCH_BODY },
	  5 },
};

static bool has_section(enum imap_fetch_kind kind)
{
	return kind == IMAP_FETCH_SECTION || kind == IMAP_FETCH_BINARY ||
	       kind == IMAP_FETCH_BINARY_SIZE;
}

static int add(struct imap_lexer *lx, struct imap_fetch_items *out,
	       const struct imap_fetch_item *item)
{
	for (size_t i = 0; i < out->n; i++)
		if (!has_section(item->kind) && out->v[i].kind == item->kind)
			return 0;
	if (out->n == ITEMS_MAX)
		return imap_lexer_bad(lx, "Too many items to fetch");
	out->v[out->n++] = *item;
	out->marks_seen |= has_section(item->kind) && !item->peek;
	out->needs_date_or_size |=
		item->kind == IMAP_FETCH_INTERNALDATE || item->kind == IMAP_FETCH_SIZE;
	return 0;
}

/* <offset.length> */
static int parse_partial(struct imap_lexer *lx, struct imap_fetch_item *item)
{
	int r;

	if (!imap_lexer_accept(lx, '<'))
		return 0;
	if ((r = imap_lexer_number(lx, &item->offset)) < 0 ||
	    (r = imap_lexer_expect(lx, '.')) < 0 ||
	    (r = imap_lexer_number(lx, &item->length)) < 0 || (r = imap_lexer_expect(lx, '>')) < 0)
		return r;
	if (item->length == 0)
		return imap_lexer_bad(lx, "A partial fetch of nothing");
	item->is_partial = true;
	return 0;
}

/* Behind BODY or BODY.PEEK. */
static int may_suspend parse_section(struct imap_lexer *lx, struct imap_fetch_items *out, bool peek)
{
	struct imap_fetch_item item = { .kind = IMAP_FETCH_SECTION, .peek = peek };
	int r;

	if ((r = imap_lexer_expect(lx, '[')) < 0 ||
	    (r = imap_section_parse(lx, &item.section)) < 0 || (r = parse_partial(lx, &item)) < 0)
		return r;
	return add(lx, out, &item);
}

/* RFC 3516 section 7: a section of part numbers alone. */
static int may_suspend parse_binary(struct imap_lexer *lx, struct imap_fetch_items *out,
				    struct str name)
{
	bool size = str_eq_nocase(name, STR("BINARY.SIZE"));
	struct imap_fetch_item item = {
		.kind = size ? IMAP_FETCH_BINARY_SIZE : IMAP_FETCH_BINARY,
		.peek = size || str_eq_nocase(name, STR("BINARY.PEEK")),
	};
	int r;

	if ((r = imap_lexer_expect(lx, '[')) < 0 || (r = imap_section_parse(lx, &item.section)) < 0)
		return r;
	if (item.section.kind != IMAP_SECTION_ALL)
		return imap_lexer_bad(lx, "A BINARY section has part numbers only");
	if (!size && (r = parse_partial(lx, &item)) < 0)
		return r;
	return add(lx, out, &item);
}

/* Letters, digits and dots: "RFC822.SIZE", "BODY.PEEK". */
static struct str item_name(struct imap_lexer *lx)
{
	size_t from = lx->pos;

	for (int c = imap_lexer_look(lx); ascii_is_alnum(c) || c == '.'; c = imap_lexer_look(lx))
		lx->pos++;
	return str_sub(lx->line, from, lx->pos - from);
}

/* RFC 8970 3.1: LAZY is for servers that take their time. */
static int parse_preview(struct imap_lexer *lx, struct imap_fetch_items *out)
{
	struct imap_fetch_item item = { .kind = IMAP_FETCH_PREVIEW };

	if (str_starts(str_skip(lx->line, lx->pos), STR(" ("))) {
		lx->pos += 2;
		if (!imap_lexer_accept_word(lx, "LAZY"))
			return imap_lexer_bad(lx, "Expected LAZY");
		int r = imap_lexer_expect(lx, ')');
		if (r < 0)
			return r;
	}
	return add(lx, out, &item);
}

static int may_suspend parse_item(struct imap_lexer *lx, struct imap_fetch_items *out,
				  struct str name)
{
	bool peek = str_eq_nocase(name, STR("BODY.PEEK"));

	if (peek || (str_eq_nocase(name, STR("BODY")) && imap_lexer_look(lx) == '['))
		return parse_section(lx, out, peek);
	if (str_eq_nocase(name, STR("BINARY")) || str_eq_nocase(name, STR("BINARY.PEEK")) ||
	    str_eq_nocase(name, STR("BINARY.SIZE")))
		return parse_binary(lx, out, name);
	if (str_eq_nocase(name, STR("PREVIEW")))
		return parse_preview(lx, out);
	for (size_t i = 0; i < ARRAY_LEN(plain_items); i++)
		if (str_eq_nocase(name, str_from(plain_items[i].name)))
			return add(lx, out, &plain_items[i].item);
	return imap_lexer_bad(lx, "Unknown item to fetch");
}

static int may_suspend parse_list(struct imap_lexer *lx, struct imap_fetch_items *out)
{
	int r;

	do {
		r = parse_item(lx, out, item_name(lx));
		if (r < 0)
			return r;
	} while (imap_lexer_accept(lx, ' '));
	return imap_lexer_expect(lx, ')');
}

int imap_fetch_items_parse(struct imap_lexer *lx, struct imap_fetch_items *out)
{
	int r = 0;

	*out = (struct imap_fetch_items){
		.v = ARENA_NEW_ARRAY(lx->arena, struct imap_fetch_item, ITEMS_MAX),
	};
	if (imap_lexer_accept(lx, '('))
		return parse_list(lx, out);

	struct str name = item_name(lx);
	for (size_t i = 0; i < ARRAY_LEN(macros); i++) {
		if (!str_eq_nocase(name, str_from(macros[i].name)))
			continue;
		for (size_t k = 0; k < macros[i].n && r == 0; k++) {
			struct imap_fetch_item item = { .kind = macros[i].kinds[k] };
			r = add(lx, out, &item);
		}
		return r;
	}
	return parse_item(lx, out, name);
}
