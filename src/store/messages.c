#include "store/messages.h"

#include <errno.h>
#include <stdlib.h>

#include "base/rand.h"
#include "store/store.h"

_Static_assert(sizeof(struct store_rec) == 64, "a record fills one cache line");

void store_messages_init(struct store_messages *m)
{
	*m = (struct store_messages){ .names = calloc(1, sizeof(*m->names)) };
	if (!m->names)
		check_no_memory();
}

void store_messages_done(struct store_messages *m)
{
	free(m->v);
	free(m->slots);
	free(m->names->p);
	free(m->names);
	*m = (struct store_messages){ 0 };
}

size_t store_messages_memory(const struct store_messages *m)
{
	return m->cap * sizeof(*m->v) + m->nslots * sizeof(*m->slots) + m->names->used -
	       m->names->unread;
}

void store_rec_set_wire_size(struct store_rec *r, uint64_t wire_size)
{
	bool known = r->size != STORE_UNKNOWN && wire_size != STORE_UNKNOWN &&
		     wire_size >= r->size && wire_size - r->size < STORE_BARE_UNKNOWN;
	r->bare = known ? (uint32_t)(wire_size - r->size) : STORE_BARE_UNKNOWN;
}

/* All strings of a record end within the first n bytes. */
static bool strings_are_good(const char *p, size_t n, const struct store_rec *r)
{
	size_t at = (size_t)r->name + r->name_len;
	unsigned more = ((r->state & STORE_REC_EXACT) != 0) + ((r->state & STORE_REC_EXT) != 0);

	if (at >= n || p[at] != '\0')
		return false;
	for (; more; more--) {
		const char *end = at + 1 < n ? memchr(p + at + 1, '\0', n - at - 1) : NULL;
		if (!end)
			return false;
		at = (size_t)(end - p);
	}
	return true;
}

int store_messages_read_names(const struct store_messages *m)
{
	struct store_names *names = m->names;
	if (names->unread == 0)
		return 0;
	int r = names->read(names->read_ctx, names->p, names->unread);
	for (uint32_t i = 0; i < m->n && r == 0; i++)
		if (m->v[i].name < names->unread &&
		    !strings_are_good(names->p, names->unread, &m->v[i]))
			r = -EBADMSG;
	if (r < 0) {
		memset(names->p, 0, names->unread);
		names->failed = true;
	}
	names->unread = 0;
	return r;
}

/* The string at this place, read from the disk when it is still there. */
static const char *string_at(const struct store_messages *m, size_t at)
{
	if (at < m->names->unread)
		(void)!store_messages_read_names(m);
	return m->names->p + at;
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
static void slots_rebuild(struct store_messages *m)
{
	uint32_t want = 64;
	while (want < m->cap * 2)
		want *= 2;
	free(m->slots);
	m->slots = calloc(want, sizeof(*m->slots));
	if (!m->slots)
		check_no_memory();
	m->nslots = want;
	for (uint32_t i = 0; i < m->n; i++) {
		struct store_rec *r = &m->v[i];
		if (r->state & STORE_REC_GONE && !(r->state & STORE_REC_FILE))
			continue;
		r->hash = name_hash(store_rec_name(m, r));
		slot_put(m, i);
	}
}

static void slots_drop(struct store_messages *m)
{
	free(m->slots);
	m->slots = NULL;
	m->nslots = 0;
}

static void grow(struct store_messages *m)
{
	uint32_t cap = m->cap + m->cap / 2 + 32;
	struct store_rec *v = realloc(m->v, cap * sizeof(*v));
	if (!v)
		check_no_memory();
	m->v = v;
	m->cap = cap;
	if (m->slots && cap * 2 > m->nslots)
		slots_drop(m);
}

static char *put_string(char *to, struct str s)
{
	if (s.n)
		memmove(to, s.p, s.n);
	to[s.n] = '\0';
	return to + s.n + 1;
}

/* Room for n more bytes. */
static char *names_space(struct store_names *names, size_t n)
{
	if (n > names->cap - names->used) {
		size_t cap = names->cap + names->cap / 2 + n + 1024;
		char *p = realloc(names->p, cap);
		if (!p)
			check_no_memory();
		names->p = p;
		names->cap = cap;
	}
	check(names->used + n <= UINT32_MAX);
	return names->p + names->used;
}

static size_t strings_length(const struct store_rec_strings *s)
{
	return s->name.n + 1 + (s->exact ? s->suffix.n + 1 : 0) + (s->ext.n ? s->ext.n + 1 : 0);
}

/* The strings come from elsewhere. */
static void set_strings(struct store_messages *m, struct store_rec *r,
			const struct store_rec_strings *s)
{
	size_t n = strings_length(s);
	char *p = names_space(m->names, n);

	r->name = (uint32_t)m->names->used;
	r->name_len = (uint16_t)s->name.n;
	r->state &= (uint8_t)~(STORE_REC_EXACT | STORE_REC_EXT);
	m->names->used += n;
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

struct str store_rec_name(const struct store_messages *m, const struct store_rec *r)
{
	return str_of(string_at(m, r->name), r->name_len);
}

struct str store_rec_suffix(const struct store_messages *m, const struct store_rec *r)
{
	return r->state & STORE_REC_EXACT ? str_from(string_at(m, r->name) + r->name_len + 1)
					  : STR_NONE;
}

struct str store_rec_ext(const struct store_messages *m, const struct store_rec *r)
{
	if (!(r->state & STORE_REC_EXT))
		return STR_NONE;
	const char *p = string_at(m, r->name) + r->name_len + 1;
	if (r->state & STORE_REC_EXACT)
		p += strlen(p) + 1;
	return str_from(p);
}

struct str store_rec_all_strings(const struct store_messages *m, const struct store_rec *r)
{
	struct store_rec_strings s = { store_rec_name(m, r), store_rec_suffix(m, r),
				       store_rec_ext(m, r), (r->state & STORE_REC_EXACT) != 0 };
	return str_of(s.name.p, strings_length(&s));
}

/* What a record adds to the sums, or takes from them. */
static void count(struct store_messages *m, const struct store_rec *r, int sign)
{
	uint32_t one = (uint32_t)sign;
	m->unseen += r->flags & STORE_SEEN ? 0 : one;
	m->deleted += r->flags & STORE_DELETED ? one : 0;
	m->recent += r->state & STORE_REC_RECENT ? one : 0;
	uint64_t bytes = r->size == STORE_UNKNOWN	 ? 0
			 : r->bare == STORE_BARE_UNKNOWN ? r->size
							 : r->size + r->bare;
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
	m->n++;
	if (m->slots) {
		r->hash = name_hash(store_rec_name(m, r));
		slot_put(m, m->n - 1);
	}
	count(m, r, 1);
	return r;
}

void store_messages_adopt(struct store_messages *m, struct store_rec *v, uint32_t n,
			  const struct store_names_source *names)
{
	check(m->n == 0 && !m->v);
	m->v = v;
	m->n = m->cap = n;
	for (uint32_t i = 0; i < n; i++) {
		if (v[i].state & STORE_REC_GONE)
			m->gone++;
		else
			count(m, &v[i], 1);
	}
	(void)names_space(m->names, names->bytes + 1);
	m->names->used = m->names->unread = names->bytes;
	m->names->read = names->read;
	m->names->read_ctx = names->ctx;
}

void store_messages_set_suffix(struct store_messages *m, struct store_rec *r, struct str suffix,
			       bool exact)
{
	if (!exact && !(r->state & STORE_REC_EXACT))
		return;
	if (exact && r->state & STORE_REC_EXACT && str_eq(store_rec_suffix(m, r), suffix))
		return;

	size_t room = store_rec_all_strings(m, r).n;
	struct str ext = store_rec_ext(m, r);
	struct store_rec_strings s = { store_rec_name(m, r), suffix, ext, exact };
	if (!exact) {
		char *p = m->names->p + r->name + r->name_len + 1;
		if (ext.n)
			put_string(p, ext);
		r->state &= (uint8_t)~STORE_REC_EXACT;
		return;
	}
	/* Room first: it may move the strings that are to be copied. */
	(void)names_space(m->names, room + suffix.n + 1);
	s.name = store_rec_name(m, r);
	s.ext = store_rec_ext(m, r);
	m->names->dead += room;
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
	store_rec_set_wire_size(r, wire_size);
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
	m->names->dead += r->name_len;
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

struct wanted_name {
	struct str name;
	bool unique; /* only the part before ',' */
	bool ghost;  /* a tombstone with a file, else a living record */
};

static bool is_wanted(const struct store_messages *m, const struct store_rec *r,
		      const struct wanted_name *w)
{
	bool gone = r->state & STORE_REC_GONE, ghost = gone && r->state & STORE_REC_FILE;
	if (w->ghost ? !ghost : gone)
		return false;
	struct str have = store_rec_name(m, r);
	return str_eq(w->unique ? unique_part(have) : have, w->name);
}

static struct store_rec *find(const struct store_messages *m, struct wanted_name w)
{
	if (m->n == 0)
		return NULL;
	if (!m->slots)
		slots_rebuild((struct store_messages *)m); /* a cache beside the records */
	uint32_t hash = name_hash(w.name), mask = m->nslots - 1;
	for (uint32_t i = hash & mask; m->slots[i]; i = (i + 1) & mask) {
		struct store_rec *r = &m->v[m->slots[i] - 1];
		if (r->hash == hash && is_wanted(m, r, &w))
			return r;
	}
	return NULL;
}

struct store_rec *store_messages_by_name(const struct store_messages *m, struct str name)
{
	return find(m, (struct wanted_name){ .name = name });
}

struct store_rec *store_messages_by_unique(const struct store_messages *m, struct str unique)
{
	return find(m, (struct wanted_name){ .name = unique, .unique = true });
}

struct store_rec *store_messages_ghost(const struct store_messages *m, struct str name)
{
	return m->gone ? find(m, (struct wanted_name){ .name = name, .ghost = true }) : NULL;
}

struct store_rec *store_messages_by_prefix(const struct store_messages *m, struct str prefix)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (!(m->v[i].state & STORE_REC_GONE) &&
		    str_starts(store_rec_name(m, &m->v[i]), prefix))
			return &m->v[i];
	return NULL;
}

static void pack_names(struct store_messages *m)
{
	struct store_names *names = m->names;
	char *to = malloc(names->used + 1);
	size_t used = 0;

	if (!to)
		check_no_memory();
	for (uint32_t i = 0; i < m->n; i++) {
		struct store_rec *r = &m->v[i];
		struct str s = store_rec_all_strings(m, r);
		memcpy(to + used, s.p, s.n);
		r->name = (uint32_t)used;
		used += s.n;
	}
	free(names->p);
	names->p = to;
	names->cap = names->used + 1;
	names->used = used;
	names->dead = 0;
}

void store_messages_pack(struct store_messages *m, bool force)
{
	bool many = m->gone >= 64 + m->n / 4 || m->names->dead >= 4096 + m->names->used / 2;
	if (!force && !many)
		return;

	uint32_t to = 0, ghosts = 0;
	for (uint32_t i = 0; i < m->n; i++) {
		if (m->v[i].state & STORE_REC_GONE && !(m->v[i].state & STORE_REC_FILE))
			continue;
		ghosts += (m->v[i].state & STORE_REC_GONE) != 0;
		m->v[to++] = m->v[i];
	}
	m->n = to;
	m->gone = ghosts;
	slots_drop(m);
	if (m->names->unread == 0)
		pack_names(m);
}
