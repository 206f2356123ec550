#include "imap/search_context.h"

#include <errno.h>
#include <stdlib.h>

#include "imap/search_key.h"
#include "imap/search_run.h"
#include "imap/seqset.h"
#include "imap/session_state.h"
#include "imap/write.h"

#define MESSAGES_PER_UNIT 500

struct imap_context {
	struct imap_context *next;
	struct arena arena; /* of the tag and the key */
	struct str tag;
	bool uid;
	struct imap_search_key *key;
	uint32_t *uids; /* the results, ascending */
	size_t n;
	uint64_t modseq; /* changes up to here are in them */
	uint32_t seen;	 /* and messages up to this UID */
};

static void context_free(struct imap_context *c)
{
	arena_done(&c->arena);
	free(c->uids);
	free(c);
}

static bool has(const struct imap_context *c, uint32_t uid)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (c->uids[mid] < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->n && c->uids[low] == uid;
}

static uint32_t last_uid(struct imap_session *s)
{
	uint32_t count = store_view_count(s->view);

	return count ? store_view_uid(s->view, count) : 0;
}

void imap_context_refuse(struct imap_session *s)
{
	auto_buf struct buf b;

	buf_init(&b, NULL, SIZE_MAX / 2);
	buf_puts(&b, "* NO [NOUPDATE ");
	imap_write_string(&b, s->tag);
	buf_puts(&b, "] These results are not kept up to date.\r\n");
	imap_send(s, &b);
}

void imap_context_add(struct imap_session *s, const struct imap_search_key *key,
		      const struct imap_found *found, uint64_t modseq)
{
	unsigned count = 0;

	for (const struct imap_context *c = s->contexts; c; c = c->next, count++)
		if (str_eq(c->tag, s->tag))
			count = IMAP_CONTEXTS_MAX;
	if (count >= IMAP_CONTEXTS_MAX) {
		imap_context_refuse(s);
		return;
	}
	struct imap_context *c = calloc(1, sizeof(*c));
	if (!c)
		check_no_memory();
	c->uids = reallocarray(NULL, found->n + 1, sizeof(*c->uids));
	if (!c->uids)
		check_no_memory();
	c->tag = arena_str(&c->arena, s->tag);
	c->uid = s->uid;
	c->key = imap_search_key_keep(s, key, &c->arena);
	c->modseq = modseq;
	for (size_t i = 0; i < found->n; i++)
		c->uids[c->n++] = store_view_uid(s->view, found->v[i]);
	c->seen = last_uid(s);
	c->next = s->contexts;
	s->contexts = c;
}

int imap_context_remove(struct imap_session *s, struct str tag)
{
	for (struct imap_context **at = &s->contexts; *at; at = &(*at)->next) {
		struct imap_context *c = *at;
		if (!str_eq(c->tag, tag))
			continue;
		*at = c->next;
		context_free(c);
		return 0;
	}
	return -ENOENT;
}

void imap_contexts_done(struct imap_session *s)
{
	while (s->contexts) {
		struct imap_context *c = s->contexts;
		s->contexts = c->next;
		context_free(c);
	}
}

/* RFC 5267 4.3.2, 4.3.3; position 0: the results are in no order. */
static void may_suspend tell(struct imap_session *s, const struct imap_context *c, const char *what,
			     const struct buf *set)
{
	auto_buf struct buf b;

	buf_init(&b, NULL, SIZE_MAX / 2);
	buf_puts(&b, "* ESEARCH (TAG ");
	imap_write_string(&b, c->tag);
	buf_puts(&b, c->uid ? ") UID " : ") ");
	buf_puts(&b, what);
	buf_puts(&b, " (0 ");
	buf_put_str(&b, buf_str(set));
	buf_puts(&b, ")\r\n");
	imap_send(s, &b);
}

/* Numbers that come to the results or leave them, ascending. */
struct change {
	struct buf text;
	struct imap_seqset_writer writer;
	uint32_t *uids;
	size_t n;
};

static void change_init(struct change *ch, struct imap_session *s, size_t max)
{
	*ch = (struct change){ .uids = ARENA_NEW_ARRAY(&s->arena, uint32_t, max) };
	buf_init(&ch->text, &s->arena, SIZE_MAX / 2);
	ch->writer.out = &ch->text;
}

static void change_add(struct change *ch, const struct imap_context *c, uint32_t seq, uint32_t uid)
{
	imap_seqset_add(&ch->writer, c->uid ? uid : seq);
	ch->uids[ch->n++] = uid;
}

static void may_suspend change_tell(struct change *ch, struct imap_session *s,
				    const struct imap_context *c, const char *what)
{
	if (ch->n == 0)
		return;
	imap_seqset_finish(&ch->writer);
	tell(s, c, what, &ch->text);
}

/* The results with `more` and without `less`, in one pass. */
static void apply(struct imap_context *c, const struct change *more, const struct change *less)
{
	uint32_t *v = reallocarray(NULL, c->n + more->n + 1, sizeof(*v));
	size_t n = 0, i = 0, m = 0, l = 0;

	if (!v)
		check_no_memory();
	while (i < c->n || m < more->n) {
		bool old = m == more->n || (i < c->n && c->uids[i] < more->uids[m]);
		uint32_t uid = old ? c->uids[i++] : more->uids[m++];
		while (l < less->n && less->uids[l] < uid)
			l++;
		if (l == less->n || less->uids[l] != uid)
			v[n++] = uid;
	}
	free(c->uids);
	c->uids = v;
	c->n = n;
}

static void may_suspend expunge_from(struct imap_session *s, struct imap_context *c,
				     const struct store_events *ev)
{
	const struct change none = { 0 };
	struct change less;

	change_init(&less, s, ev->n);
	/* The highest number comes first; each is still what the client calls the message. */
	for (size_t i = ev->n; i > 0; i--)
		if (ev->v[i - 1].kind == STORE_EVENT_EXPUNGED && has(c, ev->v[i - 1].uid))
			change_add(&less, c, ev->v[i - 1].seq, ev->v[i - 1].uid);
	if (less.n == 0)
		return;
	apply(c, &none, &less);
	change_tell(&less, s, c, "REMOVEFROM");
}

void imap_contexts_expunge(struct imap_session *s, const struct store_events *ev)
{
	if (ev->n == 0 || ev->v[0].kind != STORE_EVENT_EXPUNGED)
		return;
	for (struct imap_context *c = s->contexts; c; c = c->next)
		expunge_from(s, c, ev);
}

static int may_suspend update(struct imap_session *s, struct imap_context *c, uint64_t modseq)
{
	uint32_t count = store_view_count(s->view);
	struct change more, less;
	struct store_message m;
	int r = 0;

	change_init(&more, s, count);
	change_init(&less, s, count);
	for (uint32_t seq = 1; seq <= count && r >= 0; seq++) {
		r = imap_work(s, seq % MESSAGES_PER_UNIT == 0);
		if (r < 0 || store_view_message(s->view, seq, &m) < 0 ||
		    (m.modseq <= c->modseq && m.uid <= c->seen))
			continue;
		uint32_t uid = m.uid;
		r = imap_search_matches(s, c->key, seq);
		bool was = has(c, uid);
		if (r == 1 && !was)
			change_add(&more, c, seq, uid);
		else if (r == 0 && was)
			change_add(&less, c, seq, uid);
	}
	if (r < 0)
		return r;
	c->modseq = modseq;
	c->seen = last_uid(s);
	if (more.n || less.n)
		apply(c, &more, &less);
	change_tell(&less, s, c, "REMOVEFROM");
	change_tell(&more, s, c, "ADDTO");
	return 0;
}

int imap_contexts_update(struct imap_session *s)
{
	struct store_status st;
	int r = 0;

	if (!s->contexts || !s->view)
		return 0;
	store_view_status(s->view, &st);
	for (struct imap_context *c = s->contexts; c && r == 0; c = c->next)
		if (c->modseq < st.modseq || c->seen < last_uid(s))
			r = update(s, c, st.modseq);
	return r;
}
