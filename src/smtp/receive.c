#include "smtp/receive.h"

#include <errno.h>

#include "base/arena.h"

/* What may still come behind the point where a message was too big. */
#define DISCARD_MAX ((uint64_t)64 << 20)

#define REPLY_TOO_BIG	 "552 5.3.4 Error: message file too big"
#define REPLY_HEADER	 "552 5.3.4 Error: message header too big"
#define REPLY_HOPS	 "554 5.4.6 Error: too many hops"
#define REPLY_LINE	 "554 5.6.0 Error: line too long"
#define REPLY_NUL	 "554 5.6.0 Error: message contains NUL characters"
#define REPLY_BARE_LF	 "521 5.5.2 Error: bare <LF> received"
#define REPLY_BARE_CR	 "521 5.5.2 Error: bare <CR> received"
#define REPLY_FULL	 "452 4.3.1 Error: insufficient system storage"
#define REPLY_NO_STORAGE "451 4.3.0 Error: queue file write error"

void smtp_receive_init(struct smtp_receive *r, struct arena *a,
		       const struct smtp_receive_options *o)
{
	*r = (struct smtp_receive){ .arena = a, .limits = o->limits, .cleaning = o->cleaning };
	smtp_data_init(&r->decoder, o->policy, o->dots);
	smtp_head_init(&r->head, o->limits.head.bytes);
	smtp_body_init(&r->body, o->spool, o->memory_max);
}

void smtp_receive_done(struct smtp_receive *r)
{
	smtp_head_done(&r->head);
	if (r->parts)
		smtp_parts_done(r->parts);
	smtp_body_done(&r->body);
}

bool smtp_receive_ended(const struct smtp_receive *r)
{
	return smtp_data_ended(&r->decoder);
}

static void refuse(struct smtp_receive *r, const char *reply)
{
	if (!r->refusal)
		r->refusal = reply;
}

static void store(struct smtp_receive *r, const struct str *pieces, size_t count)
{
	if (r->refusal)
		return;
	int n = smtp_body_write(&r->body, pieces, count, &r->err);
	if (n < 0)
		refuse(r, n == -ENOSPC || n == -EDQUOT ? REPLY_FULL : REPLY_NO_STORAGE);
}

/* Through the search for headers of parts, where there is something to search. */
static void store_body(struct smtp_receive *r, const struct str *pieces, size_t count)
{
	struct str out[SMTP_BODY_PIECES];
	size_t n = 0;

	if (!r->parts) {
		store(r, pieces, count);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct str rest = pieces[i];
		while (rest.n) {
			bool header;
			rest = str_skip(rest, smtp_parts_feed(r->parts, rest, &out[n], &header));
			n += out[n].n > 0;
			if (n < SMTP_BODY_PIECES && !(header && n))
				continue;
			store(r, out, n);
			n = 0;
		}
	}
	if (n)
		store(r, out, n);
}

static void begin_parts(struct smtp_receive *r, struct str header)
{
	if (!r->cleaning.submitted || !smtp_parts_wanted(header))
		return;
	r->parts = ARENA_NEW(r->arena, struct smtp_parts);
	smtp_parts_init(r->parts, &r->cleaning, header);
}

/* The header is complete: look at it, and let what may pass on. */
static void store_head(struct smtp_receive *r)
{
	struct str text = r->head.text;
	if (smtp_head_examine(text, &r->limits.head, r->arena, &r->facts) < 0) {
		refuse(r, REPLY_HEADER);
	} else if (r->facts.received > r->limits.hops) {
		refuse(r, REPLY_HOPS);
	} else if (smtp_head_is_clean(text, &r->cleaning)) {
		store(r, &text, 1);
	} else {
		auto_buf struct buf cleaned;
		buf_init(&cleaned, NULL, text.n + 64 * r->limits.head.fields);
		smtp_head_clean(text, &r->cleaning, &cleaned);
		struct str s = buf_str(&cleaned);
		store(r, &s, 1);
	}
	begin_parts(r, text);
}

/* Give one piece to the header; what is body of it stays in *piece. */
static void feed_head(struct smtp_receive *r, struct str *piece)
{
	struct str rest = STR_NONE;
	int n = smtp_head_feed(&r->head, *piece, &rest);
	if (n < 0)
		refuse(r, REPLY_HEADER);
	if (n > 0)
		store_head(r);
	if (r->head.complete)
		smtp_head_done(&r->head);
	*piece = rest;
}

static void take_pieces(struct smtp_receive *r, struct smtp_pieces *p)
{
	size_t first = 0;
	if (r->limits.size && r->decoder.size > r->limits.size)
		refuse(r, REPLY_TOO_BIG);
	for (; first < p->count && !r->head.complete && !r->refusal; first++) {
		feed_head(r, &p->v[first]);
		if (p->v[first].n)
			break;
	}
	if (first < p->count && r->head.complete)
		store_body(r, &p->v[first], p->count - first);
}

size_t smtp_receive_feed(struct smtp_receive *r, struct str in)
{
	size_t used = 0;
	while (used < in.n && !smtp_receive_ended(r)) {
		struct smtp_pieces pieces;
		used += smtp_data_decode(&r->decoder, str_skip(in, used), &pieces);
		take_pieces(r, &pieces);
	}
	r->taken += used;
	return used;
}

/* Line ends come first: they are about more than this message. */
static const char *refusal_of_bytes(const struct smtp_receive *r)
{
	const struct smtp_data *d = &r->decoder;
	if (d->policy == SMTP_DATA_STRICT && d->found & SMTP_DATA_BARE_LF)
		return REPLY_BARE_LF;
	if (d->policy == SMTP_DATA_STRICT && d->found & SMTP_DATA_BARE_CR)
		return REPLY_BARE_CR;
	if (r->refusal)
		return r->refusal;
	if (d->policy != SMTP_DATA_BINARY && d->found & SMTP_DATA_NUL)
		return REPLY_NUL;
	if (d->policy != SMTP_DATA_BINARY && d->line_max > r->limits.line)
		return REPLY_LINE;
	return NULL;
}

const char *smtp_receive_finish(struct smtp_receive *r)
{
	if (!smtp_receive_ended(r)) {
		struct smtp_pieces pieces;
		smtp_data_finish(&r->decoder, &pieces);
		take_pieces(r, &pieces);
	}
	if (!r->head.complete && !r->refusal) {
		smtp_head_finish(&r->head);
		store_head(r);
	}
	smtp_head_done(&r->head);
	if (r->parts) {
		struct str last = smtp_parts_finish(r->parts);
		store(r, &last, last.n > 0);
	}
	store(r, NULL, 0); /* an empty message has a descriptor too */
	r->refusal = refusal_of_bytes(r);
	return r->refusal;
}

bool smtp_receive_is_hopeless(const struct smtp_receive *r)
{
	return r->limits.size && r->taken > r->limits.size + DISCARD_MAX;
}

bool smtp_receive_is_smuggling(const struct smtp_receive *r)
{
	return r->decoder.policy == SMTP_DATA_STRICT &&
	       r->decoder.found & (SMTP_DATA_BARE_LF | SMTP_DATA_BARE_CR);
}
