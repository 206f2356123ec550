#include "filter/dkim_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"

/* Twice what a record with a usual RSA key has. Longer ones, which may hold larger keys, take the
 * place of several. */
#define RECORD_BYTES 1024

struct entry {
	struct list used; /* in dkim_keys.used */
	struct dkim_public_key key;
	size_t n;
	char record[];
};

struct dkim_keys {
	struct map by_record;
	struct list used;  /* the latest at its end */
	size_t max, bytes; /* the latter of records */
};

struct dkim_keys *dkim_keys_new(size_t max)
{
	struct dkim_keys *k = calloc(1, sizeof(*k));

	if (!k)
		check_no_memory();
	check(max > 0);
	map_init(&k->by_record);
	list_init(&k->used);
	k->max = max;
	return k;
}

static void forget(struct dkim_keys *k, struct entry *e)
{
	map_remove(&k->by_record, str_of(e->record, e->n));
	k->bytes -= e->n;
	list_remove(&e->used);
	dkim_public_key_done(&e->key);
	free(e);
}

void dkim_keys_free(struct dkim_keys *k)
{
	if (!k)
		return;
	LIST_FOREACH_SAFE (it, &k->used)
		forget(k, LIST_ITEM(it, struct entry, used));
	map_done(&k->by_record);
	free(k);
}

static struct entry *remember(struct dkim_keys *k, struct str record,
			      const struct dkim_public_key *key)
{
	struct entry *e = malloc(sizeof(*e) + record.n);

	if (!e)
		check_no_memory();
	e->key = *key;
	e->n = record.n;
	memcpy(e->record, record.p, record.n);
	list_append(&k->used, &e->used);
	map_put(&k->by_record, str_of(e->record, e->n), e);
	k->bytes += e->n;
	return e;
}

static bool is_full(const struct dkim_keys *k, size_t more)
{
	return k->by_record.count == k->max || k->bytes + more > k->max * RECORD_BYTES;
}

int dkim_keys_find(struct dkim_keys *k, struct str record, const struct dkim_public_key **out,
		   const char **reason)
{
	struct entry *e = map_get(&k->by_record, record);
	struct dkim_public_key key;

	if (!e) {
		int r = dkim_public_key_parse(record, &key, reason);
		if (r < 0) {
			dkim_public_key_done(&key);
			return r;
		}
		while (k->by_record.count && is_full(k, record.n))
			forget(k, LIST_ITEM(k->used.next, struct entry, used));
		e = remember(k, record, &key);
	}
	list_remove(&e->used);
	list_append(&k->used, &e->used);
	*out = &e->key;
	return 0;
}

size_t dkim_keys_count(const struct dkim_keys *k)
{
	return k->by_record.count;
}
