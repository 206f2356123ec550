#include "imap/sort.h"

#include "imap/merge_sort.h"
#include "imap/progress.h"
#include "imap/search_run.h"
#include "imap/session_state.h"
#include "mime/facts.h"

#define MESSAGES_PER_UNIT 100
#define NO_TEXT		  MIME_FACTS_KEYS

static const struct {
	const char *name;
	enum imap_sort_key key;
} names[] = {
	{ "ARRIVAL", IMAP_SORT_ARRIVAL },
	{ "CC", IMAP_SORT_CC },
	{ "DATE", IMAP_SORT_DATE },
	{ "DISPLAYFROM", IMAP_SORT_DISPLAYFROM },
	{ "DISPLAYTO", IMAP_SORT_DISPLAYTO },
	{ "FROM", IMAP_SORT_FROM },
	{ "SIZE", IMAP_SORT_SIZE },
	{ "SUBJECT", IMAP_SORT_SUBJECT },
	{ "TO", IMAP_SORT_TO },
};

/* The text by which a key sorts, or NO_TEXT. */
static const enum mime_facts_key texts[] = {
	[IMAP_SORT_ARRIVAL] = NO_TEXT,
	[IMAP_SORT_CC] = MIME_FACTS_SORT_CC,
	[IMAP_SORT_DATE] = NO_TEXT,
	[IMAP_SORT_DISPLAYFROM] = MIME_FACTS_DISPLAY_FROM,
	[IMAP_SORT_DISPLAYTO] = MIME_FACTS_DISPLAY_TO,
	[IMAP_SORT_FROM] = MIME_FACTS_SORT_FROM,
	[IMAP_SORT_SIZE] = NO_TEXT,
	[IMAP_SORT_SUBJECT] = MIME_FACTS_BASE_SUBJECT,
	[IMAP_SORT_TO] = MIME_FACTS_SORT_TO,
};

static int parse_rule(struct imap_lexer *lx, struct imap_sort *out)
{
	struct imap_sort_rule rule = { 0 };
	struct str word;

	int r = imap_lexer_atom(lx, &word);
	if (r == 0 && str_eq_nocase(word, STR("REVERSE"))) {
		rule.reverse = true;
		if ((r = imap_lexer_space(lx)) == 0)
			r = imap_lexer_atom(lx, &word);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!str_eq_nocase(word, str_from(names[i].name)))
			continue;
		if (out->n == IMAP_SORT_RULES_MAX)
			return imap_lexer_bad(lx, "Too many sort keys");
		rule.key = names[i].key;
		out->rules[out->n++] = rule;
		return 0;
	}
	return imap_lexer_bad(lx, "Unknown sort key");
}

int imap_sort_parse(struct imap_lexer *lx, struct imap_sort *out)
{
	int r = imap_lexer_expect(lx, '(');

	out->n = 0;
	while (r == 0) {
		r = parse_rule(lx, out);
		if (r == 0 && !imap_lexer_accept(lx, ' '))
			return imap_lexer_expect(lx, ')');
	}
	return r;
}

/* What a message has to say to one rule. Texts are compared by their first bytes, as a number, and
 * only where these are the same by all of them. */
struct value {
	uint64_t number;
	struct str text;
};

struct sorting {
	struct imap_session *s;
	const struct imap_sort *how;
	struct value *values; /* of each message, one per rule */
	bool needs_facts;
};

static uint64_t ordered(int64_t v)
{
	return (uint64_t)v ^ ((uint64_t)1 << 63);
}

static struct value text_value(struct sorting *t, struct str text)
{
	struct value v = { .text = arena_str(&t->s->arena, text) };

	for (size_t i = 0; i < sizeof(v.number); i++)
		v.number = v.number << 8 | (i < text.n ? (unsigned char)text.p[i] : 0);
	return v;
}

static struct value value_of(struct sorting *t, enum imap_sort_key key,
			     const struct store_message *m, const struct mime_facts *f)
{
	/* RFC 5256 2.2: without a sent date that can be read INTERNALDATE counts. */
	int64_t sent = f && f->flags & MIME_FACTS_HAS_DATE ? f->sent : m->date;

	switch (key) {
	case IMAP_SORT_ARRIVAL:
		return (struct value){ .number = ordered(m->date) };
	case IMAP_SORT_DATE:
		return (struct value){ .number = ordered(sent) };
	case IMAP_SORT_SIZE:
		return (struct value){ .number = m->wire_size };
	default:
		return text_value(t, f ? mime_facts_key(f, texts[key]) : STR_NONE);
	}
}

static void take_values(struct sorting *t, uint32_t seq, struct value *out, struct arena *a)
{
	struct store_message m = { .date = INT64_MIN };
	struct mime_facts facts;
	struct err err;

	/* A message that is gone or cannot be read sorts as an empty one. */
	(void)!store_view_message_full(t->s->view, seq, &m, &err);
	bool known = t->needs_facts && store_view_hot_facts(t->s->view, seq, a, &facts, &err) == 0;
	for (size_t i = 0; i < t->how->n; i++)
		out[i] = value_of(t, t->how->rules[i].key, &m, known ? &facts : NULL);
}

static int by_rules(const void *ctx, uint32_t a, uint32_t b)
{
	const struct sorting *t = ctx;
	const struct value *x = t->values + t->how->n * a, *y = t->values + t->how->n * b;

	for (size_t i = 0; i < t->how->n; i++, x++, y++) {
		int c = (x->number > y->number) - (x->number < y->number);
		if (c == 0)
			c = str_cmp(x->text, y->text);
		if (c)
			return t->how->rules[i].reverse ? -c : c;
	}
	return 0;
}

int imap_sort_run(struct imap_session *s, const struct imap_sort *how, struct imap_found *found)
{
	struct sorting t = { .s = s, .how = how };
	struct imap_progress progress;
	auto_arena struct arena scratch = ARENA_INIT;
	uint32_t *order = ARENA_NEW_ARRAY(&s->arena, uint32_t, found->n);
	uint32_t *sorted = ARENA_NEW_ARRAY(&s->arena, uint32_t, found->n);
	int r = 0;

	t.values = ARENA_NEW_ARRAY(&s->arena, struct value, found->n * how->n);
	for (size_t i = 0; i < how->n; i++)
		t.needs_facts |=
			texts[how->rules[i].key] != NO_TEXT || how->rules[i].key == IMAP_SORT_DATE;
	imap_progress_begin(&progress, s, found->n);
	for (uint32_t i = 0; i < found->n && r == 0; i++) {
		order[i] = i;
		take_values(&t, found->v[i], &t.values[how->n * i], &scratch);
		if (scratch.chunks)
			arena_reset(&scratch);
		r = imap_progress_work(&progress, i % MESSAGES_PER_UNIT == 0, i);
	}
	if (r == 0)
		r = imap_merge_sort(&progress, order, found->n, by_rules, &t);
	for (size_t i = 0; i < found->n && r == 0; i++)
		sorted[i] = found->v[order[i]];
	found->v = sorted;
	return r;
}
