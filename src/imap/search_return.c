#include "imap/search_return.h"

#include <stdlib.h>

#include "imap/search_run.h"
#include "imap/seqset.h"
#include "imap/session_state.h"
#include "imap/view.h"
#include "imap/write.h"

#define NUMBERS_PER_UNIT 10000
#define NOT_TOLD	 (IMAP_RETURN_SAVE | IMAP_RETURN_CONTEXT | IMAP_RETURN_UPDATE)
#define SEND_FROM	 ((size_t)32768)

static const struct {
	const char *name;
	unsigned what;
} options[] = {
	{ "ALL", IMAP_RETURN_ALL },	{ "CONTEXT", IMAP_RETURN_CONTEXT },
	{ "COUNT", IMAP_RETURN_COUNT }, { "MAX", IMAP_RETURN_MAX },
	{ "MIN", IMAP_RETURN_MIN },	{ "PARTIAL", IMAP_RETURN_PARTIAL },
	{ "SAVE", IMAP_RETURN_SAVE },	{ "UPDATE", IMAP_RETURN_UPDATE },
};

static int parse_option(struct imap_lexer *lx, struct imap_return *out)
{
	struct str name;

	int r = imap_lexer_atom(lx, &name);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (!str_eq_nocase(name, str_from(options[i].name)))
			continue;
		if (out->what & options[i].what)
			return imap_lexer_bad(lx, "A return option twice");
		out->what |= options[i].what;
		return options[i].what == IMAP_RETURN_PARTIAL
			       ? imap_partial_parse(lx, &out->partial)
			       : 0;
	}
	return imap_lexer_bad(lx, "Unknown return option");
}

int imap_return_parse(struct imap_session *s, struct imap_return *out)
{
	struct imap_lexer *lx = &s->lexer;
	int r;

	/* RFC 9051 7.3.4: IMAP4rev2 knows no other answer. */
	*out = (struct imap_return){ .extended = s->enabled & IMAP_ENABLED_REV2,
				     .what = IMAP_RETURN_ALL };
	if ((r = imap_lexer_space(lx)) < 0 || !imap_lexer_accept_word(lx, "RETURN"))
		return r;
	*out = (struct imap_return){ .given = true, .extended = true };
	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_expect(lx, '(')) < 0)
		return r;
	while (imap_lexer_look(lx) != ')') {
		if (out->what && (r = imap_lexer_space(lx)) < 0)
			return r;
		if ((r = parse_option(lx, out)) < 0)
			return r;
	}
	if ((r = imap_lexer_expect(lx, ')')) < 0 || (r = imap_lexer_space(lx)) < 0)
		return r;
	/* RFC 9394 3.1 */
	if (out->what & IMAP_RETURN_PARTIAL && out->what & IMAP_RETURN_ALL)
		return imap_lexer_bad(lx, "PARTIAL goes not with ALL");
	/* RFC 4731 3.1: an empty list is ALL. */
	if ((out->what & ~IMAP_RETURN_CONTEXT) == 0)
		out->what |= IMAP_RETURN_ALL;
	return 0;
}

/* The window of PARTIAL. */
static struct imap_found window(const struct imap_return *how, const struct imap_found *found)
{
	size_t from, n;

	imap_partial_window(&how->partial, found->n, &from, &n);
	return n ? (struct imap_found){ .v = found->v + from, .n = n } : (struct imap_found){ 0 };
}

static uint32_t number_of(struct imap_session *s, uint32_t seq)
{
	return s->uid ? store_view_uid(s->view, seq) : seq;
}

/* Numbers as a set: in ranges, or one by one where their order tells something. */
static int may_suspend put_set(struct imap_session *s, const struct imap_return *how,
			       const struct imap_found *found, struct buf *b)
{
	struct imap_seqset_writer w = { .out = b };
	int r = 0;

	for (size_t i = 0; i < found->n && r == 0; i++) {
		uint32_t n = number_of(s, found->v[i]);
		if (!how->sorted) {
			imap_seqset_add(&w, n);
		} else {
			if (i)
				buf_putc(b, ',');
			buf_put_u64(b, n);
		}
		if (b->n >= SEND_FROM)
			imap_send(s, b);
		r = imap_work(s, i % NUMBERS_PER_UNIT == NUMBERS_PER_UNIT - 1);
	}
	if (!how->sorted)
		imap_seqset_finish(&w);
	return r;
}

/* MIN and MAX are the first and the last in the order of the results (RFC 5267 3.1). */
static void put_one(struct imap_session *s, struct buf *b, const char *name, uint32_t seq)
{
	buf_puts(b, name);
	buf_put_u64(b, number_of(s, seq));
}

static int may_suspend put_partial(struct imap_session *s, const struct imap_return *how,
				   const struct imap_found *found, struct buf *b)
{
	struct imap_found some = window(how, found);

	buf_puts(b, " PARTIAL (");
	imap_partial_write(b, &how->partial);
	buf_putc(b, ' ');
	if (some.n == 0)
		buf_puts(b, "NIL");
	int r = put_set(s, how, &some, b);
	buf_putc(b, ')');
	return r;
}

static uint64_t modseq_of(struct imap_session *s, uint32_t seq)
{
	struct store_message m;

	return store_view_message(s->view, seq, &m) < 0 ? 0 : m.modseq;
}

/* RFC 7162 3.1.5 and 3.1.10: of all that was found, or of MIN and MAX when only those are told. */
static uint64_t highest_modseq(struct imap_session *s, const struct imap_return *how,
			       const struct imap_found *found)
{
	unsigned ends = IMAP_RETURN_MIN | IMAP_RETURN_MAX;
	uint64_t highest = 0;

	for (size_t i = 0; i < found->n; i++) {
		bool told = how->what & ~(ends | NOT_TOLD) ||
			    (how->what & IMAP_RETURN_MIN && i == 0) ||
			    (how->what & IMAP_RETURN_MAX && i + 1 == found->n);
		uint64_t modseq = told ? modseq_of(s, found->v[i]) : 0;
		if (modseq > highest)
			highest = modseq;
	}
	return highest;
}

static int may_suspend write_extended(struct imap_session *s, const struct imap_return *how,
				      const struct imap_found *found, struct buf *b)
{
	int r = 0;

	/* RFC 5182 2.1: nothing is told when nothing but saving was asked for. */
	if ((how->what & ~NOT_TOLD) == 0 && how->what & IMAP_RETURN_SAVE)
		return 0;
	buf_puts(b, "* ESEARCH (TAG ");
	imap_write_string(b, s->tag);
	buf_puts(b, s->uid ? ") UID" : ")");
	if (how->what & IMAP_RETURN_MIN && found->n)
		put_one(s, b, " MIN ", found->v[0]);
	if (how->what & IMAP_RETURN_MAX && found->n)
		put_one(s, b, " MAX ", found->v[found->n - 1]);
	if (how->what & IMAP_RETURN_COUNT)
		buf_printf(b, " COUNT %zu", found->n);
	if (how->modseq && found->n)
		buf_printf(b, " MODSEQ %llu", (unsigned long long)highest_modseq(s, how, found));
	if (how->what & IMAP_RETURN_PARTIAL)
		r = put_partial(s, how, found, b);
	if (r == 0 && how->what & IMAP_RETURN_ALL && found->n) {
		buf_puts(b, " ALL ");
		r = put_set(s, how, found, b);
	}
	buf_puts(b, "\r\n");
	return r;
}

static int may_suspend write_plain(struct imap_session *s, const struct imap_return *how,
				   const char *name, const struct imap_found *found, struct buf *b)
{
	int r = 0;

	buf_puts(b, "* ");
	buf_puts(b, name);
	for (size_t i = 0; i < found->n && r == 0; i++) {
		buf_putc(b, ' ');
		buf_put_u64(b, number_of(s, found->v[i]));
		if (b->n >= SEND_FROM)
			imap_send(s, b);
		r = imap_work(s, i % NUMBERS_PER_UNIT == NUMBERS_PER_UNIT - 1);
	}
	if (how->modseq && found->n)
		buf_printf(b, " (MODSEQ %llu)", (unsigned long long)highest_modseq(s, how, found));
	buf_puts(b, "\r\n");
	return r;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* RFC 5182 2.1, RFC 9394 3.4: what is saved is what is returned, except that COUNT and ALL save
 * everything. */
static void save(struct imap_session *s, const struct imap_return *how,
		 const struct imap_found *found)
{
	unsigned some = IMAP_RETURN_MIN | IMAP_RETURN_MAX | IMAP_RETURN_PARTIAL;
	bool all = how->what & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT) || !(how->what & some);
	struct imap_found w = { 0 };
	uint32_t *v = ARENA_NEW_ARRAY(&s->arena, uint32_t, found->n + 2);
	size_t n = 0;

	if (all)
		w = *found;
	else if (how->what & IMAP_RETURN_PARTIAL)
		w = window(how, found);
	for (; n < w.n; n++)
		v[n] = w.v[n];
	if (!all && found->n && how->what & IMAP_RETURN_MIN)
		v[n++] = found->v[0];
	if (!all && found->n && how->what & IMAP_RETURN_MAX)
		v[n++] = found->v[found->n - 1];
	if (how->sorted || !all)
		qsort(v, n, sizeof(*v), by_number);
	imap_view_save(s, v, n);
}

void imap_return_failed(struct imap_session *s, const struct imap_return *how)
{
	if (how->what & IMAP_RETURN_SAVE)
		imap_view_save(s, NULL, 0);
}

int imap_return_write(struct imap_session *s, const struct imap_return *how, const char *name,
		      const struct imap_found *found)
{
	auto_buf struct buf b;

	if (how->what & IMAP_RETURN_SAVE)
		save(s, how, found);
	buf_init(&b, NULL, SIZE_MAX / 2);
	int r = how->extended ? write_extended(s, how, found, &b)
			      : write_plain(s, how, name, found, &b);
	if (r == 0)
		imap_send(s, &b);
	return r;
}
