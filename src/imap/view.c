#include "imap/view.h"

#include <errno.h>

#include "imap/condstore.h"
#include "imap/flags.h"
#include "imap/search_context.h"
#include "imap/seqset.h"
#include "imap/session_state.h"
#include "imap/uids_write.h"
#include "imap/write.h"

#define RANGES_MAX	   20000
#define RESPONSE_FLAGS_MAX 8192
#define EVENTS_PER_UNIT	   100

static struct imap_keywords keywords(struct imap_session *s)
{
	struct imap_keywords k;

	k.names = store_view_keywords(s->view, &k.n);
	return k;
}

void imap_view_write_message_flags(struct imap_session *s, struct buf *b,
				   const struct store_message *m)
{
	struct imap_keywords k = keywords(s);

	buf_puts(b, "FLAGS ");
	uint32_t flags = imap_tells_recent(s) ? m->flags : m->flags & ~(uint32_t)STORE_RECENT;

	imap_write_flags(b, flags, m->keywords, &k);
}

void imap_view_write_flags(struct imap_session *s)
{
	struct imap_keywords k = keywords(s);
	struct buf b;

	buf_init(&b, &s->arena, RESPONSE_FLAGS_MAX);
	buf_puts(&b, "* FLAGS ");
	imap_write_flags(&b, STORE_FLAGS_ALL, UINT64_MAX, &k);
	buf_puts(&b, "\r\n* OK [PERMANENTFLAGS ");
	if (s->read_only) {
		buf_puts(&b, "()] Read-only mailbox.\r\n");
	} else {
		bool any = s->view_rights & STORE_RIGHT_WRITE;
		imap_write_flags(&b, imap_flags_allowed(s->view_rights), any ? UINT64_MAX : 0, &k);
		/* The closing parenthesis makes room for "any new keyword". */
		b.n--;
		buf_puts(&b, any ? " \\*)] Flags permitted.\r\n" : ")] Flags permitted.\r\n");
	}
	imap_send(s, &b);
}

static void may_suspend write_flag_event(struct imap_session *s, struct buf *b, uint32_t seq)
{
	struct store_message m;

	if (store_view_message(s->view, seq, &m) < 0)
		return;
	imap_condstore_put_fetch(s, b, seq, &m, true);
	imap_send(s, b);
}

/* RFC 7162 3.2.10.2: who enabled QRESYNC gets UIDs instead of numbers, and all at once. The events
 * come with the highest number first. Returns how many are done with. */
static size_t may_suspend write_vanished(struct imap_session *s, const struct store_events *ev)
{
	struct store_uids uids = { 0 };
	struct buf b;
	size_t n = 0;

	while (n < ev->n && ev->v[n].kind == STORE_EVENT_EXPUNGED)
		n++;
	for (size_t i = n; i > 0; i--)
		store_uids_add(&s->arena, &uids, ev->v[i - 1].uid);
	if (!n)
		return 0;
	buf_init(&b, &s->arena, SIZE_MAX / 2);
	buf_puts(&b, "* VANISHED ");
	imap_uids_write(&b, &uids);
	buf_puts(&b, "\r\n");
	imap_send(s, &b);
	return n;
}

static int may_suspend write_events(struct imap_session *s, const struct store_events *ev)
{
	struct buf b;
	int r = 0;

	buf_init(&b, &s->arena, RESPONSE_FLAGS_MAX);
	if (ev->keywords_changed)
		imap_view_write_flags(s);
	size_t done = s->enabled & IMAP_ENABLED_QRESYNC ? write_vanished(s, ev) : 0;
	for (size_t i = done; i < ev->n && r == 0; i++) {
		if (ev->v[i].kind == STORE_EVENT_EXPUNGED)
			stream_printf(s->stream, "* %u EXPUNGE\r\n", ev->v[i].seq);
		else
			write_flag_event(s, &b, ev->v[i].seq);
		r = imap_work(s, i % EVENTS_PER_UNIT == 0);
	}
	if (ev->exists_changed)
		stream_printf(s->stream, "* %u EXISTS\r\n", ev->exists);
	if (ev->recent_changed && imap_tells_recent(s))
		stream_printf(s->stream, "* %u RECENT\r\n", ev->recent);
	return r;
}

int imap_view_sync(struct imap_session *s, unsigned how)
{
	struct store_status st;
	struct store_events ev;
	struct err err;

	int r = store_view_sync(s->view, how, &s->arena, &ev, &err);
	if (r == -ESTALE) {
		imap_view_close(s);
		return imap_bye(s, IMAP_SESSION_REFUSED, "The selected mailbox is gone");
	}
	/* Whatever else: the next command looks again. */
	if (r < 0)
		return 0;
	if (!(how & STORE_SYNC_KEEP_EXPUNGED)) {
		store_view_status(s->view, &st);
		s->told_modseq = st.modseq;
	}
	imap_contexts_expunge(s, &ev);
	r = write_events(s, &ev);
	return r < 0 ? r : imap_contexts_update(s);
}

/* Ranges of UIDs become those of the messages that have them. */
static void uids_to_seqs(struct imap_session *s, struct imap_seqset *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct imap_range r = set->ranges[i];
		uint32_t first = store_view_seq_from(s->view, r.first);
		uint32_t end = store_view_seq_from(s->view, r.last);
		if (end <= store_view_count(s->view) && store_view_uid(s->view, end) == r.last)
			end++;
		if (first < end)
			set->ranges[kept++] = (struct imap_range){ first, end - 1 };
	}
	set->count = kept;
}

/* RFC 5182 2: what a search has saved; messages that are gone have left it. */
static void saved_set(struct imap_session *s, struct imap_seqset *out)
{
	const struct store_uids *saved = &s->saved.uids;

	out->ranges = ARENA_NEW_ARRAY(&s->arena, struct imap_range, saved->n);
	out->count = saved->n;
	for (size_t i = 0; i < saved->n; i++)
		out->ranges[i] = (struct imap_range){ saved->v[i].first, saved->v[i].last };
	uids_to_seqs(s, out);
}

/* 1 when the set holds sequence numbers already. */
static int parse_set(struct imap_session *s, struct imap_seqset *out)
{
	struct str text;

	int r = imap_lexer_sequence(&s->lexer, &text);
	if (r < 0)
		return r;
	if (str_eq(text, STR("$"))) {
		saved_set(s, out);
		return 1;
	}
	r = imap_seqset_parse(text, &s->arena, RANGES_MAX, out);
	if (r < 0)
		return imap_lexer_bad(&s->lexer,
				      r == -E2BIG ? "Too many ranges" : "Invalid sequence set");
	return 0;
}

static void resolve_uids(struct imap_session *s, struct imap_seqset *set)
{
	uint32_t count = store_view_count(s->view);

	imap_seqset_resolve(set, count ? store_view_uid(s->view, count) : 0);
	uids_to_seqs(s, set);
}

int imap_view_parse_set(struct imap_session *s, struct imap_seqset *out)
{
	uint32_t count = store_view_count(s->view);
	struct imap_seqset set;

	int r = parse_set(s, &set);
	if (r < 0)
		return r;
	if (s->uid && r == 0) {
		resolve_uids(s, &set);
	} else if (r == 0) {
		imap_seqset_resolve(&set, count);
		if (set.count && set.ranges[set.count - 1].last > count)
			return imap_lexer_bad(&s->lexer, "No message has such a number");
	}
	*out = set;
	return 0;
}

int imap_view_parse_known(struct imap_session *s, struct str text, struct store_uids *out)
{
	uint32_t count = store_view_count(s->view);
	struct imap_seqset set;

	if (imap_seqset_parse(text, &s->arena, RANGES_MAX, &set) < 0)
		return imap_lexer_bad(&s->lexer, "Invalid sequence set");
	imap_seqset_resolve(&set, count ? store_view_uid(s->view, count) : 0);
	*out = (struct store_uids){ 0 };
	for (size_t i = 0; i < set.count; i++)
		store_uids_add_range(&s->arena, out, set.ranges[i].first, set.ranges[i].last);
	return 0;
}

int imap_view_parse_search_set(struct imap_session *s, bool uid, struct imap_seqset *out)
{
	int r = parse_set(s, out);
	if (r < 0)
		return r;
	if (r == 1)
		return 0;
	if (uid)
		resolve_uids(s, out);
	else
		imap_seqset_resolve(out, store_view_count(s->view));
	return 0;
}

void imap_view_uids(struct imap_session *s, const struct imap_seqset *seqs, struct store_uids *out)
{
	*out = (struct store_uids){
		.v = ARENA_NEW_ARRAY(&s->arena, struct store_uid_range, seqs->count),
		.n = seqs->count,
		.cap = seqs->count,
	};
	for (size_t i = 0; i < seqs->count; i++)
		out->v[i] = (struct store_uid_range){
			store_view_uid(s->view, seqs->ranges[i].first),
			store_view_uid(s->view, seqs->ranges[i].last),
		};
}

void imap_view_save(struct imap_session *s, const uint32_t *seqs, size_t n)
{
	arena_done(&s->saved.arena);
	s->saved.uids = (struct store_uids){ 0 };
	for (size_t i = 0; i < n; i++)
		if (i == 0 || seqs[i] != seqs[i - 1])
			store_uids_add(&s->saved.arena, &s->saved.uids,
				       store_view_uid(s->view, seqs[i]));
}

void imap_view_close(struct imap_session *s)
{
	imap_view_save(s, NULL, 0);
	imap_contexts_done(s);
	store_view_close(s->view);
	s->view = NULL;
}
