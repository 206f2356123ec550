#include "imap/sort.h"

#include "imap/merge_sort.h"
#include "imap/progress.h"
#include "imap/search_run.h"
#include "imap/session_state.h"
#include "imap/sort_recall.h"
#include "imap/sort_values.h"

#define MESSAGES_PER_UNIT 100

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

struct sorting {
	struct imap_sort_source source;
	struct imap_sort_value *values; /* of each message, one per rule */
};

static int by_rules(const void *ctx, uint32_t a, uint32_t b)
{
	const struct sorting *t = ctx;
	size_t n = t->source.how->n;

	return imap_sort_compare(t->source.how, t->values + n * a, t->values + n * b);
}

/* The place of each message among those found, in order. */
static int may_suspend put_in_order(struct sorting *t, const struct imap_found *found,
				    uint32_t *order)
{
	struct imap_session *s = t->source.s;
	size_t rules = t->source.how->n;
	struct imap_progress progress;
	auto_arena struct arena scratch = ARENA_INIT;
	int r = 0;

	t->values = ARENA_NEW_ARRAY(&s->arena, struct imap_sort_value, found->n * rules);
	imap_progress_begin(&progress, s, found->n);
	for (uint32_t i = 0; i < found->n && r == 0; i++) {
		order[i] = i;
		imap_sort_values(&t->source, found->v[i], &t->values[rules * i], &scratch);
		if (scratch.chunks)
			arena_reset(&scratch);
		r = imap_progress_work(&progress, i % MESSAGES_PER_UNIT == 0, i);
	}
	return r < 0 ? r : imap_merge_sort(&progress, order, found->n, by_rules, t);
}

int imap_sort_run(struct imap_session *s, const struct imap_sort *how, struct imap_found *found)
{
	struct sorting t = { .source = imap_sort_source(s, how) };
	uint32_t *order = ARENA_NEW_ARRAY(&s->arena, uint32_t, found->n);
	uint32_t *sorted = ARENA_NEW_ARRAY(&s->arena, uint32_t, found->n);
	int r = 0;

	if (!imap_sort_recall(&t.source, found, order)) {
		r = put_in_order(&t, found, order);
		if (r == 0 && !t.source.missed)
			imap_sort_remember(&t.source, found, order);
	}
	for (size_t i = 0; i < found->n && r == 0; i++)
		sorted[i] = found->v[order[i]];
	found->v = sorted;
	return r;
}
