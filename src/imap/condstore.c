#include "imap/condstore.h"

#include "imap/seqset.h"
#include "imap/session_state.h"
#include "imap/uids_write.h"
#include "imap/view.h"

#define MODSEQ_MAX ((uint64_t)INT64_MAX) /* RFC 7162 section 7: a positive 63-bit number */

void imap_condstore_write_highest(struct imap_session *s)
{
	stream_printf(s->stream, "* OK [HIGHESTMODSEQ %llu] Highest.\r\n",
		      (unsigned long long)s->told_modseq);
}

void imap_condstore_enable(struct imap_session *s)
{
	if (s->enabled & IMAP_ENABLED_CONDSTORE || !store_has_modseq(s->store))
		return;
	imap_enable(s, IMAP_ENABLED_CONDSTORE);
	if (s->view && imap_view_has_modseq(s))
		imap_condstore_write_highest(s);
}

int imap_lexer_modseq(struct imap_lexer *lx, uint64_t *out)
{
	size_t from = lx->pos;

	while (ascii_is_digit(imap_lexer_look(lx)))
		lx->pos++;
	struct str digits = str_sub(lx->line, from, lx->pos - from);
	if (digits.n == 0)
		return imap_lexer_bad(lx, "Expected a mod-sequence");
	if (str_to_u64(digits, MODSEQ_MAX, out) < 0)
		return imap_lexer_bad(lx, "Mod-sequence too large");
	return 0;
}

int imap_condstore_code(struct imap_session *s, struct str *out)
{
	*out = STR("");
	if (!(s->enabled & IMAP_ENABLED_QRESYNC) || !imap_view_has_modseq(s))
		return 0;
	int r = imap_view_sync(s, 0);
	if (r == 0 && !s->ended)
		*out = arena_printf(&s->arena, "[HIGHESTMODSEQ %llu] ",
				    (unsigned long long)s->told_modseq);
	return r;
}

void imap_condstore_put_fetch(struct imap_session *s, struct buf *b, uint32_t seq,
			      const struct store_message *m, bool flags)
{
	buf_printf(b, "* %u FETCH (", seq);
	if (s->uid || s->enabled & IMAP_ENABLED_QRESYNC)
		buf_printf(b, "UID %u ", m->uid);
	if (flags)
		imap_view_write_message_flags(s, b, m);
	if ((s->enabled & IMAP_ENABLED_CONDSTORE && imap_view_has_modseq(s)) || !flags)
		buf_printf(b, "%sMODSEQ (%llu)", flags ? " " : "", (unsigned long long)m->modseq);
	buf_puts(b, ")\r\n");
}

/* What of `all` is in `known`; both rise. */
static void intersect(const struct store_uids *all, const struct store_uids *known, struct arena *a,
		      struct store_uids *out)
{
	size_t k = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct store_uid_range r = all->v[i];
		while (k < known->n && known->v[k].last < r.first)
			k++;
		for (size_t j = k; j < known->n && known->v[j].first <= r.last; j++) {
			struct store_uid_range w = known->v[j];
			store_uids_add_range(a, out, w.first > r.first ? w.first : r.first,
					     w.last < r.last ? w.last : r.last);
		}
	}
}

void imap_condstore_write_vanished(struct imap_session *s, uint64_t since,
				   const struct store_uids *known)
{
	struct store_uids gone, told = { 0 };
	struct buf b;

	store_view_vanished(s->view, since, &s->arena, &gone);
	if (known)
		intersect(&gone, known, &s->arena, &told);
	else
		told = gone;
	if (!told.n)
		return;
	buf_init(&b, &s->arena, SIZE_MAX / 2);
	buf_puts(&b, "* VANISHED (EARLIER) ");
	imap_uids_write(&b, &told);
	buf_puts(&b, "\r\n");
	imap_send(s, &b);
}

void imap_condstore_put_modified(struct imap_session *s, struct buf *b,
				 const struct store_uids *modified)
{
	struct imap_seqset_writer w = { .out = b };

	buf_puts(b, "MODIFIED ");
	if (s->uid) {
		imap_uids_write(b, modified);
		return;
	}
	for (size_t i = 0; i < modified->n; i++) {
		uint32_t seq = store_view_seq_from(s->view, modified->v[i].first);
		for (; seq <= store_view_count(s->view) &&
		       store_view_uid(s->view, seq) <= modified->v[i].last;
		     seq++)
			imap_seqset_add(&w, seq);
	}
	imap_seqset_finish(&w);
}
