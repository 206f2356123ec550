#include "store/messages.h"

#include <stdlib.h>

#include "base/rand.h"
#include "store/store.h"

_Static_assert(sizeof(struct store_rec) == 64, "a record fills one cache line");

void store_messages_init(struct store_messages *m)
{
	*m = (struct store_messages){ .names = ARENA_INIT };
}

void store_messages_done(struct store_messages *m)
{
	free(m->v);
	free(m->slots);
	arena_done(&m->names);
	store_messages_init(m);
}

size_t store_messages_memory(const struct store_messages *m)
{
	return m->cap * sizeof(*m->v) + m->nslots * sizeof(*m->slots) + m->names.total;
}

static struct str unique_part(struct str name)
{
	struct str unique, rest;
	str_cut(name, ',', &unique, &rest);
	return unique;
}

static uint32_t name_hash(struct str name)
{
	return (uint32_t)str_hash(unique_part(name), rand_seed());
}

static void slot_put(struct store_messages *m, uint32_t index)
{
	uint32_t mask = m->nslots - 1, i = m->v[index].hash & mask;
	while (m->slots[i])
		i = (i + 1) & mask;
	m->slots[i] = index + 1;
}

/* At most half full, so that runs stay short. */
static void slots_rebuild(struct store_messages *m, uint32_t records)
{
	uint32_t want = 64;
	while (want < records * 2)
		want *= 2;
	if (want != m->nslots) {
		free(m->slots);
		m->slots = calloc(want, sizeof(*m->slots));
		if (!m->slots)
			check_no_memory();
		m->nslots = want;
	} else {
		memset(m->slots, 0, want * sizeof(*m->slots));
	}
	for (uint32_t i = 0; i < m->n; i++)
		if (!(m->v[i].state & STORE_REC_GONE))
			slot_put(m, i);
}

static void grow(struct store_messages *m)
{
	uint32_t cap = m->cap ? m->cap + m->cap / 2 : 32;
	struct store_rec *v = realloc(m->v, cap * sizeof(*v));
	if (!v)
		check_no_memory();
	m->v = v;
	m->cap = cap;
	if (!m->slots || cap * 2 > m->nslots)
		slots_rebuild(m, cap);
}

static char *put_string(char *to, struct str s)
{
	if (s.n)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return to + s.n + 1;
}

static void set_strings(struct store_messages *m, struct store_rec *r,
			const struct store_rec_strings *s)
{
	size_t n = s->name.n + 1 + (s->exact ? s->suffix.n + 1 : 0) + (s->ext.n ? s->ext.n + 1 : 0);
	char *p = arena_alloc(&m->names, n);
	r->name = p;
	r->name_len = (uint16_t)s->name.n;
	r->state &= (uint8_t)~(STORE_REC_EXACT | STORE_REC_EXT);
	p = put_string(p, s->name);
	if (s->exact) {
		p = put_string(p, s->suffix);
		r->state |= STORE_REC_EXACT;
	}
	if (s->ext.n) {
		put_string(p, s->ext);
		r->state |= STORE_REC_EXT;
	}
}

struct str store_rec_name(const struct store_rec *r)
{
	return str_of(r->name, r->name_len);
}

struct str store_rec_suffix(const struct store_rec *r)
{
	return r->state & STORE_REC_EXACT ? str_from(r->name + r->name_len + 1) : STR_NONE;
}

struct str store_rec_ext(const struct store_rec *r)
{
	if (!(r->state & STORE_REC_EXT))
		return STR_NONE;
	const char *p = r->name + r->name_len + 1;
	if (r->state & STORE_REC_EXACT)
		p += strlen(p) + 1;
	return str_from(p);
}

/* What a record adds to the sums, or takes from them. */
static void count(struct store_messages *m, const struct store_rec *r, int sign)
{
	uint32_t one = (uint32_t)sign;
	m->unseen += r->flags & STORE_SEEN ? 0 : one;
	m->deleted += r->flags & STORE_DELETED ? one : 0;
	m->recent += r->state & STORE_REC_RECENT ? one : 0;
	uint64_t bytes = r->wire_size != STORE_UNKNOWN ? r->wire_size
			 : r->size != STORE_UNKNOWN    ? r->size
						       : 0;
	m->bytes += sign > 0 ? bytes : -bytes;
}

struct store_rec *store_messages_add(struct store_messages *m, const struct store_rec *rec,
				     const struct store_rec_strings *s)
{
	check(m->n == 0 || m->v[m->n - 1].uid < rec->uid);
	if (m->n == m->cap)
		grow(m);
	struct store_rec *r = &m->v[m->n];
	*r = *rec;
	set_strings(m, r, s);
	r->hash = name_hash(s->name);
	slot_put(m, m->n++);
	count(m, r, 1);
	return r;
}

void store_messages_set_suffix(struct store_messages *m, struct store_rec *r, struct str suffix,
			       bool exact)
{
	if (!exact && !(r->state & STORE_REC_EXACT))
		return;
	if (exact && r->state & STORE_REC_EXACT && str_eq(store_rec_suffix(r), suffix))
		return;
	struct store_rec_strings s = { store_rec_name(r), suffix, store_rec_ext(r), exact };
	set_strings(m, r, &s);
}

void store_messages_set_flags(struct store_messages *m, struct store_rec *r, uint8_t flags)
{
	count(m, r, -1);
	r->flags = flags;
	count(m, r, 1);
}

void store_messages_set_sizes(struct store_messages *m, struct store_rec *r, uint64_t size,
			      uint64_t wire_size)
{
	count(m, r, -1);
	r->size = size;
	r->wire_size = wire_size;
	count(m, r, 1);
}

void store_messages_set_recent(struct store_messages *m, struct store_rec *r, bool recent)
{
	count(m, r, -1);
	if (recent)
		r->state |= STORE_REC_RECENT;
	else
		r->state &= (uint8_t)~STORE_REC_RECENT;
	count(m, r, 1);
}

void store_messages_remove(struct store_messages *m, struct store_rec *r)
{
	check(!(r->state & STORE_REC_GONE));
	count(m, r, -1);
	r->state |= STORE_REC_GONE;
	m->gone++;
}

uint32_t store_messages_from_uid(const struct store_messages *m, uint32_t uid)
{
	uint32_t low = 0, high = m->n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (m->v[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct store_rec *store_messages_by_uid_near(const struct store_messages *m, uint32_t uid,
					     uint32_t *hint)
{
	uint32_t i = *hint;
	if (i >= m->n || m->v[i].uid != uid)
		i = store_messages_from_uid(m, uid);
	*hint = i;
	if (i == m->n || m->v[i].uid != uid || m->v[i].state & STORE_REC_GONE)
		return NULL;
	return &m->v[i];
}

struct store_rec *store_messages_by_uid(const struct store_messages *m, uint32_t uid)
{
	uint32_t hint = UINT32_MAX;
	return store_messages_by_uid_near(m, uid, &hint);
}

static struct store_rec *find(const struct store_messages *m, struct str name, bool unique)
{
	if (!m->slots)
		return NULL;
	uint32_t hash = name_hash(name), mask = m->nslots - 1;
	for (uint32_t i = hash & mask; m->slots[i]; i = (i + 1) & mask) {
		struct store_rec *r = &m->v[m->slots[i] - 1];
		if (r->hash != hash || r->state & STORE_REC_GONE)
			continue;
		struct str have = store_rec_name(r);
		if (str_eq(unique ? unique_part(have) : have, name))
			return r;
	}
	return NULL;
}

struct store_rec *store_messages_by_name(const struct store_messages *m, struct str name)
{
	return find(m, name, false);
}

struct store_rec *store_messages_by_unique(const struct store_messages *m, struct str unique)
{
	return find(m, unique, true);
}

struct store_rec *store_messages_by_prefix(const struct store_messages *m, struct str prefix)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (!(m->v[i].state & STORE_REC_GONE) &&
		    str_starts(store_rec_name(&m->v[i]), prefix))
			return &m->v[i];
	return NULL;
}

void store_messages_pack(struct store_messages *m, bool force)
{
	if (m->gone == 0 || (!force && m->gone < 64 + m->n / 4))
		return;

	struct arena names = m->names;
	m->names = ARENA_INIT;
	uint32_t to = 0;
	for (uint32_t i = 0; i < m->n; i++) {
		if (m->v[i].state & STORE_REC_GONE)
			continue;
		struct store_rec *r = &m->v[to++];
		*r = m->v[i];
		struct store_rec_strings s = { store_rec_name(r), store_rec_suffix(r),
					       store_rec_ext(r),
					       (r->state & STORE_REC_EXACT) != 0 };
		set_strings(m, r, &s);
	}
	m->n = to;
	m->gone = 0;
	slots_rebuild(m, m->cap);
	arena_done(&names);
}
