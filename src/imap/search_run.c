#include "imap/search_run.h"

#include <errno.h>
#include <time.h>

#include "imap/message.h"
#include "imap/object_id.h"
#include "imap/progress.h"
#include "imap/search_key.h"
#include "imap/search_index.h"
#include "imap/search_text.h"
#include "imap/session_state.h"
#include "mime/date.h"
#include "mime/facts.h"
#include "mime/header.h"

#define MESSAGES_PER_UNIT 500
#define UNIT_BYTES	  4096
#define SECONDS_PER_DAY	  86400

/* The message that the keys are asked about. */
struct candidate {
	struct imap_session *s;
	uint32_t seq;
	struct store_message meta;
	bool full; /* date and sizes are known */
	struct arena arena;
	struct imap_message message;
	/* What is known of it, until the store is called again. */
	enum {
		FACTS_NONE,
		FACTS_HOT,
		FACTS_ALL,
		FACTS_UNKNOWN
	} has_facts;
	struct mime_facts facts;
	struct buf text;
	int64_t now;
	struct imap_search_index index;
};

static void forget_facts(struct candidate *c)
{
	if (c->has_facts != FACTS_UNKNOWN)
		c->has_facts = FACTS_NONE;
}

static bool know_hot(struct candidate *c)
{
	struct err err;

	if (c->has_facts == FACTS_NONE) {
		int r = store_view_hot_facts(c->s->view, c->seq, &c->arena, &c->facts, &err);
		c->has_facts = r < 0 ? FACTS_UNKNOWN : FACTS_HOT;
	}
	return c->has_facts != FACTS_UNKNOWN;
}

static bool know_fields(struct candidate *c)
{
	struct err err;

	if (c->has_facts == FACTS_NONE || c->has_facts == FACTS_HOT) {
		int r = store_view_facts(c->s->view, c->seq, &c->arena, &c->facts, &err);
		c->has_facts = r < 0 ? FACTS_UNKNOWN : FACTS_ALL;
	}
	return c->has_facts == FACTS_ALL && mime_facts_has(&c->facts, MIME_FACTS_FIELDS);
}

static int know_meta(struct candidate *c)
{
	struct err err;

	if (c->full)
		return 0;
	forget_facts(c);
	int r = store_view_message_full(c->s->view, c->seq, &c->meta, &err);
	c->full = r == 0;
	return r;
}

static int by_size(struct candidate *c, const struct imap_search_key *k)
{
	int r = c->meta.wire_size == STORE_UNKNOWN ? know_meta(c) : 0;

	if (r < 0)
		return r;
	return k->kind == IMAP_SEARCH_LARGER ? c->meta.wire_size > k->number
					     : c->meta.wire_size < k->number;
}

static bool in_days(const struct imap_search_key *k, int64_t day)
{
	return day >= k->from && day <= k->to;
}

static int by_date(struct candidate *c, const struct imap_search_key *k)
{
	int r = c->meta.date == INT64_MIN ? know_meta(c) : 0;

	if (r < 0)
		return r;
	/* RFC 5032 3: the distance to the present, in seconds. */
	if (k->kind == IMAP_SEARCH_YOUNGER)
		return c->meta.date >= c->now - (int64_t)k->number;
	if (k->kind == IMAP_SEARCH_OLDER)
		return c->meta.date <= c->now - (int64_t)k->number;
	int64_t day = c->meta.date / SECONDS_PER_DAY - (c->meta.date % SECONDS_PER_DAY < 0);
	return in_days(k, day);
}

static int by_saved_date(struct candidate *c, const struct imap_search_key *k)
{
	forget_facts(c);
	int64_t saved = imap_message_saved(c->s->view, c->seq, c->message.a);
	if (saved == INT64_MIN)
		return 0;
	return in_days(k, saved / SECONDS_PER_DAY - (saved % SECONDS_PER_DAY < 0));
}

static int by_sent_date(struct candidate *c, const struct imap_search_key *k)
{
	struct mime_field f;
	struct mime_date date;
	struct str header;

	if (know_hot(c)) {
		date = (struct mime_date){ c->facts.sent, c->facts.zone_min, false };
		return c->facts.flags & MIME_FACTS_HAS_DATE && in_days(k, mime_date_day(&date));
	}
	int r = imap_message_header(&c->message, &header);
	if (r < 0)
		return r;
	if (!mime_header_find(header, STR("Date"), &f) || mime_date_parse(f.value, &date) < 0)
		return 0;
	return in_days(k, mime_date_day(&date));
}

/* By the hot facts: 1, 0, or -ENODATA. */
static int by_known_key(struct candidate *c, const struct imap_search_key *k)
{
	if (k->facts_key < 0 || !know_hot(c) || c->facts.missing >> k->facts_key & 1)
		return -ENODATA;
	if (!(c->facts.present >> k->facts_key & 1))
		return 0;
	return str_find(mime_facts_key(&c->facts, (enum mime_facts_key)k->facts_key), k->text) >= 0;
}

/* By the header fields that are kept: 1, 0, or -ENODATA. */
static int by_known_fields(struct candidate *c, const struct imap_search_key *k)
{
	if (!k->fields.set || !know_fields(c))
		return -ENODATA;
	buf_clear(&c->text);
	if (mime_facts_fields_put(&c->facts, &k->fields, &c->text) < 0)
		return -ENODATA;
	return imap_search_header_text(buf_str(&c->text), k->field, k->text);
}

static int by_header(struct candidate *c, const struct imap_search_key *k)
{
	/* Values are one line each; what has two is in none. */
	if (str_find_byte(k->text, '\n') >= 0)
		return 0;
	int r = by_known_key(c, k);
	if (r == -ENODATA)
		r = by_known_fields(c, k);
	return r == -ENODATA ? imap_search_header(&c->message, k->field, k->text) : r;
}

static bool by_email_id(const struct candidate *c, const struct imap_search_key *k)
{
	auto_buf struct buf id;

	buf_init(&id, NULL, SIZE_MAX / 2);
	imap_object_id_write_email(&id, c->meta.guid);
	return str_eq(buf_str(&id), k->text);
}

/* What may need the message itself. A command may ask for a thousand words, and each of them goes
 * through all that was read of it. */
static int may_suspend by_text(struct candidate *c, const struct imap_search_key *k)
{
	int r;

	if (k->kind == IMAP_SEARCH_SENT_DATE)
		r = by_sent_date(c, k);
	else if (k->kind == IMAP_SEARCH_HEADER)
		r = by_header(c, k);
	else
		r = imap_search_index_says(&c->index, k, c->meta.guid);
	if (r == -ENODATA)
		r = imap_search_body(&c->message, k->text, k->kind == IMAP_SEARCH_TEXT);
	if (!c->message.open)
		return r;
	forget_facts(c);
	int w = imap_work(c->s, c->message.content.n / UNIT_BYTES);
	return w < 0 ? w : r;
}

static int may_suspend matches(struct candidate *c, const struct imap_search_key *k);

/* All (want = 1) or any (want = 0) of the children. */
static int may_suspend by_children(struct candidate *c, const struct imap_search_key *k, int want)
{
	for (const struct imap_search_key *child = k->children; child; child = child->next) {
		int r = matches(c, child);
		if (r != want)
			return r;
	}
	return want;
}

static int invert(int r)
{
	return r < 0 ? r : !r;
}

/* 1, 0, or why it cannot be told. */
static int may_suspend matches(struct candidate *c, const struct imap_search_key *k)
{
	switch (k->kind) {
	case IMAP_SEARCH_ALL:
		return 1;
	case IMAP_SEARCH_SEQS:
		return imap_seqset_contains(&k->seqs, c->seq);
	case IMAP_SEARCH_UIDS:
		return store_uids_has(&k->uids, c->meta.uid);
	case IMAP_SEARCH_FLAGS:
		return (c->meta.flags & k->with) == k->with && !(c->meta.flags & k->without);
	case IMAP_SEARCH_KEYWORD:
		return !(c->meta.keywords & k->keyword) == !!k->without;
	case IMAP_SEARCH_MODSEQ:
		return c->meta.modseq >= k->number;
	case IMAP_SEARCH_EMAILID:
		return by_email_id(c, k);
	case IMAP_SEARCH_NONE:
		return 0;
	case IMAP_SEARCH_LARGER:
	case IMAP_SEARCH_SMALLER:
		return by_size(c, k);
	case IMAP_SEARCH_DATE:
	case IMAP_SEARCH_YOUNGER:
	case IMAP_SEARCH_OLDER:
		return by_date(c, k);
	case IMAP_SEARCH_SAVED_DATE:
		return by_saved_date(c, k);
	case IMAP_SEARCH_SENT_DATE:
	case IMAP_SEARCH_HEADER:
	case IMAP_SEARCH_BODY:
	case IMAP_SEARCH_TEXT:
		return by_text(c, k);
	case IMAP_SEARCH_AND:
		return by_children(c, k, 1);
	case IMAP_SEARCH_OR:
		return by_children(c, k, 0);
	case IMAP_SEARCH_NOT:
		return invert(matches(c, k->children));
	}
	return 0;
}

/* A message that is gone, or that cannot be read, does not match. */
static bool may_suspend candidate_matches(struct candidate *c, const struct imap_search_key *key)
{
	c->full = false;
	c->has_facts = FACTS_NONE;
	if (store_view_message(c->s->view, c->seq, &c->meta) < 0)
		return false;
	return matches(c, key) == 1;
}

/* The same for a search that may look further than at what the view knows. */
static bool may_suspend contents_match(struct candidate *c, const struct imap_search_key *key,
				       size_t *units)
{
	imap_message_init(&c->message, c->s->view, c->seq, &c->arena);
	bool found = candidate_matches(c, key);
	*units += c->message.open;
	imap_message_done(&c->message);
	if (c->arena.chunks)
		arena_reset(&c->arena);
	return found;
}

static void add(struct imap_session *s, struct imap_found *found, uint32_t seq)
{
	if (found->n == found->cap) {
		found->cap = found->cap ? 2 * found->cap : 256;
		uint32_t *v = ARENA_NEW_ARRAY(&s->arena, uint32_t, found->cap);
		if (found->n)
			memcpy(v, found->v, found->n * sizeof(*v));
		found->v = v;
	}
	found->v[found->n++] = seq;
}

int imap_search_matches(struct imap_session *s, const struct imap_search_key *key, uint32_t seq)
{
	struct candidate c = { .s = s, .seq = seq, .now = (int64_t)time(NULL) };
	size_t units = 0;

	buf_init(&c.text, NULL, SIZE_MAX / 2);
	bool found = contents_match(&c, key, &units);
	buf_done(&c.text);
	arena_done(&c.arena);
	int r = stream_error(s->stream);
	return r < 0 ? r : found;
}

int imap_search_run(struct imap_session *s, struct imap_search_key *key, struct imap_found *out)
{
	struct candidate c = { .s = s, .now = (int64_t)time(NULL) };
	struct imap_progress progress;
	uint32_t count = store_view_count(s->view);
	bool by_view = key->cost < IMAP_SEARCH_LARGER;
	int r;

	*out = (struct imap_found){ 0 };
	buf_init(&c.text, NULL, SIZE_MAX / 2);
	imap_search_index_ask(&c.index, s, key);
	r = stream_error(s->stream);
	imap_progress_begin(&progress, s, count);
	for (c.seq = 1; c.seq <= count && r == 0; c.seq++) {
		size_t units = c.seq % MESSAGES_PER_UNIT == 0;
		if (by_view ? candidate_matches(&c, key) : contents_match(&c, key, &units))
			add(s, out, c.seq);
		r = imap_progress_work(&progress, units, c.seq);
	}
	if (c.index.lacks)
		fts_notice(s->params->fts, s->params->mail_path, FTS_LACKS);
	buf_done(&c.text);
	arena_done(&c.arena);
	return r;
}
