#include "store/index_pack.h"

#include <errno.h>
#include <string.h>

#include "base/crc32c.h"

/* What differs from what was expected. */
enum field {
	UID = 1 << 0,	 /* not the next one */
	MODSEQ = 1 << 1, /* not the same */
	DATE = 1 << 2,	 /* not the same */
	BARE = 1 << 3,	 /* not the same */
	MARKS = 1 << 4,	 /* letters, keywords and the like: not all the same */
	NAME = 1 << 5,	 /* does not begin behind a name without further strings */
	LENGTH = 1 << 6, /* of the name: not the same */
	FACTS = 1 << 7,	 /* not the next */
};

static const struct store_rec nothing;

/* Small numbers of both signs become small numbers without one. */
static uint64_t fold(uint64_t difference)
{
	return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t unfold(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

static char *put(char *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (char)(v | 0x80);
	*p++ = (char)v;
	return p;
}

static bool has_same_marks(const struct store_rec *a, const struct store_rec *b)
{
	return a->letters == b->letters && a->keywords == b->keywords &&
	       a->file_letters == b->file_letters && a->file_keywords == b->file_keywords &&
	       a->flags == b->flags && a->state == b->state;
}

static char *put_marks(char *p, const struct store_rec *r)
{
	p = put(p, r->letters);
	p = put(p, r->keywords);
	p = put(p, r->file_letters);
	p = put(p, r->file_keywords);
	p = put(p, r->flags);
	return put(p, r->state);
}

static unsigned fields_of(const struct store_rec *r, const struct store_rec *before)
{
	return (r->uid != before->uid + 1 ? UID : 0) | (r->modseq != before->modseq ? MODSEQ : 0) |
	       (r->date != before->date ? DATE : 0) | (r->bare != before->bare ? BARE : 0) |
	       (has_same_marks(r, before) ? 0 : MARKS) |
	       (r->name != before->name + before->name_len + 1 ? NAME : 0) |
	       (r->name_len != before->name_len ? LENGTH : 0) |
	       (r->facts != before->facts + 1 ? FACTS : 0);
}

static void begin_block(struct index_packer *p)
{
	const struct index_block none = { 0 };

	p->block_at = p->out->n;
	p->before = nothing;
	buf_put(p->out, &none, sizeof(none));
}

void index_pack_end(struct index_packer *p)
{
	if (p->n == 0 || buf_failed(p->out))
		return;
	char *block = p->out->p + p->block_at;
	struct index_block head = {
		.bytes = (uint32_t)(p->out->n - p->block_at - sizeof(head)),
	};
	head.crc = crc32c(0, block + sizeof(head), head.bytes);
	memcpy(block, &head, sizeof(head));
	p->n = 0;
}

void index_pack(struct index_packer *p, const struct store_rec *r)
{
	char bytes[128], *at = bytes + 1;
	const struct store_rec *before = &p->before;

	if (p->n == 0)
		begin_block(p);
	unsigned fields = fields_of(r, before);
	bytes[0] = (char)fields;
	at = put(at, r->size + 1);
	if (fields & UID)
		at = put(at, r->uid - before->uid);
	if (fields & MODSEQ)
		at = put(at, fold(r->modseq - before->modseq));
	if (fields & DATE)
		at = put(at, fold((uint64_t)r->date - (uint64_t)before->date));
	if (fields & BARE)
		at = put(at, r->bare);
	if (fields & MARKS)
		at = put_marks(at, r);
	if (fields & NAME)
		at = put(at, r->name);
	if (fields & LENGTH)
		at = put(at, r->name_len);
	if (fields & FACTS)
		at = put(at, r->facts);
	buf_put(p->out, bytes, (size_t)(at - bytes));
	p->before = *r;
	if (++p->n == INDEX_BLOCK)
		index_pack_end(p);
}

struct unpacker {
	const unsigned char *p, *end;
	bool bad;
};

static uint64_t get(struct unpacker *u, uint64_t max)
{
	uint64_t v = 0;

	if (u->p < u->end && *u->p < 0x80) /* most of them */
		return *u->p++;
	for (unsigned shift = 0; shift < 64 && u->p < u->end; shift += 7) {
		unsigned char c = *u->p++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			u->bad |= v > max;
			return v;
		}
	}
	u->bad = true;
	return 0;
}

static uint32_t get32(struct unpacker *u)
{
	return (uint32_t)get(u, UINT32_MAX);
}

static void get_marks(struct unpacker *u, struct store_rec *r)
{
	r->letters = get32(u);
	r->keywords = get32(u);
	r->file_letters = get32(u);
	r->file_keywords = get32(u);
	r->flags = (uint8_t)get(u, UINT8_MAX);
	r->state = (uint8_t)get(u, UINT8_MAX);
}

/* `r` is the record before, and becomes the one that is read. */
static void get_rec(struct unpacker *u, struct store_rec *r)
{
	unsigned fields = u->p < u->end ? *u->p++ : 0;
	uint32_t behind = r->name + r->name_len + 1;

	r->size = get(u, UINT64_MAX) - 1;
	r->uid += fields & UID ? get32(u) : 1;
	if (fields & MODSEQ)
		r->modseq += unfold(get(u, UINT64_MAX));
	if (fields & DATE)
		r->date = (int64_t)((uint64_t)r->date + unfold(get(u, UINT64_MAX)));
	if (fields & BARE)
		r->bare = get32(u);
	if (fields & MARKS)
		get_marks(u, r);
	r->name = fields & NAME ? get32(u) : behind;
	if (fields & LENGTH)
		r->name_len = (uint16_t)get(u, UINT16_MAX);
	r->facts = fields & FACTS ? get32(u) : r->facts + 1;
}

static int unpack_block(struct str bytes, struct store_rec *v, uint32_t n)
{
	struct unpacker u = { (const unsigned char *)bytes.p,
			      (const unsigned char *)bytes.p + bytes.n, false };
	struct store_rec r = nothing;

	for (uint32_t i = 0; i < n && !u.bad; i++) {
		get_rec(&u, &r);
		v[i] = r;
	}
	return u.bad || u.p != u.end ? -EBADMSG : 0;
}

int index_unpack(struct str bytes, struct store_rec *v, uint32_t n)
{
	struct index_block head;

	for (uint32_t count; n; n -= count, v += count) {
		count = n < INDEX_BLOCK ? n : INDEX_BLOCK;
		if (bytes.n < sizeof(head))
			return -EBADMSG;
		memcpy(&head, bytes.p, sizeof(head));
		bytes = str_skip(bytes, sizeof(head));
		if (head.bytes > bytes.n || crc32c(0, bytes.p, head.bytes) != head.crc)
			return -EBADMSG;
		int r = unpack_block(str_sub(bytes, 0, head.bytes), v, count);
		if (r < 0)
			return r;
		bytes = str_skip(bytes, head.bytes);
	}
	return bytes.n ? -EBADMSG : 0;
}
