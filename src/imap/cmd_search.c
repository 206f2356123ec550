/* SEARCH and UID SEARCH (RFC 3501 6.4.4, 6.4.8). */
#include <errno.h>

#include "imap/condstore.h"
#include "imap/message.h"
#include "imap/object_id.h"
#include "imap/search_key.h"
#include "imap/search_text.h"
#include "imap/session_state.h"
#include "mime/date.h"
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
};

static int know_all(struct candidate *c)
{
	struct err err;

	if (c->full)
		return 0;
	int r = store_view_message_full(c->s->view, c->seq, &c->meta, &err);
	c->full = r == 0;
	return r;
}

static int by_size(struct candidate *c, const struct imap_search_key *k)
{
	if (c->meta.wire_size == STORE_UNKNOWN) {
		int r = know_all(c);
		if (r < 0)
			return r;
	}
	return k->kind == IMAP_SEARCH_LARGER ? c->meta.wire_size > k->size
					     : c->meta.wire_size < k->size;
}

static bool in_days(const struct imap_search_key *k, int64_t day)
{
	return day >= k->from && day <= k->to;
}

static int by_date(struct candidate *c, const struct imap_search_key *k)
{
	if (c->meta.date == INT64_MIN) {
		int r = know_all(c);
		if (r < 0)
			return r;
	}
	int64_t day = c->meta.date / SECONDS_PER_DAY - (c->meta.date % SECONDS_PER_DAY < 0);
	return in_days(k, day);
}

static int by_sent_date(struct candidate *c, const struct imap_search_key *k)
{
	struct mime_field f;
	struct mime_date date;
	struct str header;

	int r = imap_message_header(&c->message, &header);
	if (r < 0)
		return r;
	if (!mime_header_find(header, STR("Date"), &f) || mime_date_parse(f.value, &date) < 0)
		return 0;
	return in_days(k, mime_date_day(&date));
}

static bool by_email_id(const struct candidate *c, const struct imap_search_key *k)
{
	auto_buf struct buf id;

	buf_init(&id, NULL, SIZE_MAX / 2);
	imap_object_id_write_email(&id, c->meta.guid);
	return str_eq(buf_str(&id), k->text);
}

/* What needs the message itself. A command may ask for a thousand words, and each of them goes
 * through all that was read of it. */
static int may_suspend by_text(struct candidate *c, const struct imap_search_key *k)
{
	int r;

	if (k->kind == IMAP_SEARCH_SENT_DATE)
		r = by_sent_date(c, k);
	else if (k->kind == IMAP_SEARCH_HEADER)
		r = imap_search_header(&c->message, k->field, k->text);
	else
		r = imap_search_body(&c->message, k->text, k->kind == IMAP_SEARCH_TEXT);
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
	case IMAP_SEARCH_FLAGS:
		return (c->meta.flags & k->with) == k->with && !(c->meta.flags & k->without);
	case IMAP_SEARCH_KEYWORD:
		return !(c->meta.keywords & k->keyword) == !!k->without;
	case IMAP_SEARCH_MODSEQ:
		return c->meta.modseq >= k->modseq;
	case IMAP_SEARCH_EMAILID:
		return by_email_id(c, k);
	case IMAP_SEARCH_NONE:
		return 0;
	case IMAP_SEARCH_LARGER:
	case IMAP_SEARCH_SMALLER:
		return by_size(c, k);
	case IMAP_SEARCH_DATE:
		return by_date(c, k);
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
static bool may_suspend candidate_matches(struct candidate *c, const struct imap_search_key *key,
					  size_t *bytes)
{
	c->full = false;
	if (store_view_message(c->s->view, c->seq, &c->meta) < 0)
		return false;
	imap_message_init(&c->message, c->s->view, c->seq, &c->arena);
	int r = matches(c, key);
	*bytes = c->message.open ? UNIT_BYTES : 0;
	imap_message_done(&c->message);
	arena_reset(&c->arena);
	return r == 1;
}

static int may_suspend search(struct imap_session *s, const struct imap_search_key *key)
{
	struct candidate c = { .s = s };
	uint32_t count = store_view_count(s->view);
	uint64_t highest = 0;
	int r = 0;

	stream_puts(s->stream, "* SEARCH");
	for (c.seq = 1; c.seq <= count && r == 0; c.seq++) {
		size_t bytes = 0;
		if (candidate_matches(&c, key, &bytes)) {
			stream_printf(s->stream, " %u",
				      s->uid ? store_view_uid(s->view, c.seq) : c.seq);
			highest = c.meta.modseq > highest ? c.meta.modseq : highest;
		}
		r = imap_work(s, bytes / UNIT_BYTES + (c.seq % MESSAGES_PER_UNIT == 0));
	}
	/* RFC 7162 3.1.5 */
	if (key->tells_modseq && highest)
		stream_printf(s->stream, " (MODSEQ %llu)", (unsigned long long)highest);
	stream_puts(s->stream, "\r\n");
	arena_done(&c.arena);
	return r;
}

int imap_cmd_search(struct imap_session *s)
{
	struct imap_search_key *key;

	int r = imap_search_parse(s, &key);
	if (r == -ENOTSUP)
		return imap_no(s, "[BADCHARSET (US-ASCII UTF-8)] Unknown charset.");
	if (r < 0)
		return r;
	if (key->tells_modseq)
		imap_condstore_enable(s);
	r = search(s, key);
	return r < 0 ? r : imap_ok(s, "Search completed.");
}
