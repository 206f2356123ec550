#include "auth/login_throttle.h"

#include "base/rand.h"

/* A mail program may open some connections at once, and people mistype. Many users may share one
 * address. */
#define PAIR_FREE	10
#define CLIENT_FREE	50
#define CLIENT_STEP	10
#define DELAY_FIRST_MS	2000
#define DELAY_MAX_MS	15000
#define FORGET_AFTER_MS (10 * 60 * 1000)
#define FAILURES_MAX	100000

void login_throttle_init(struct login_throttle *t)
{
	t->seed = rand_u64();
}

static struct throttle_entry *find(struct throttle_table *t, uint64_t key)
{
	struct throttle_entry *set = t->entries[key % THROTTLE_SETS];
	for (size_t i = 0; i < THROTTLE_WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

/* The key's entry, or a free one, or that which was quiet longest. */
static struct throttle_entry *find_or_make(struct throttle_table *t, uint64_t key)
{
	struct throttle_entry *e = find(t, key);
	struct throttle_entry *set = t->entries[key % THROTTLE_SETS];

	if (e)
		return e;
	e = &set[0];
	for (size_t i = 0; i < THROTTLE_WAYS && e->key; i++)
		if (!set[i].key || set[i].last < e->last)
			e = &set[i];
	*e = (struct throttle_entry){ .key = key };
	return e;
}

/* Count one more, and return how many there were before. */
static unsigned count(struct throttle_table *t, uint64_t key, int64_t now)
{
	struct throttle_entry *e = find_or_make(t, key);
	if (now - e->last > FORGET_AFTER_MS)
		e->failures = 0;
	e->last = now;
	unsigned before = e->failures;
	e->failures += before < FAILURES_MAX;
	return before;
}

static void uncount(struct throttle_table *t, uint64_t key)
{
	struct throttle_entry *e = find(t, key);
	if (e && e->failures)
		e->failures--;
}

static int64_t delay(unsigned steps)
{
	if (steps == 0)
		return 0;
	return steps > 3 ? DELAY_MAX_MS : (int64_t)DELAY_FIRST_MS << (steps - 1);
}

int64_t login_throttle_begin(struct login_throttle *t, struct str user, struct str client,
			     int64_t now, struct login_attempt *out)
{
	out->client = str_hash(client, t->seed) | 1;
	out->pair = str_hash(user, out->client) | 1;

	unsigned pair = count(&t->pairs, out->pair, now);
	unsigned all = count(&t->clients, out->client, now);
	int64_t by_pair = delay(pair < PAIR_FREE ? 0 : pair - PAIR_FREE + 1);
	int64_t by_client = delay(all < CLIENT_FREE ? 0 : (all - CLIENT_FREE) / CLIENT_STEP + 1);
	return by_pair > by_client ? by_pair : by_client;
}

void login_throttle_succeeded(struct login_throttle *t, const struct login_attempt *a)
{
	struct throttle_entry *e = find(&t->pairs, a->pair);
	if (e)
		e->failures = 0;
	uncount(&t->clients, a->client);
}

void login_throttle_forget(struct login_throttle *t, const struct login_attempt *a)
{
	uncount(&t->pairs, a->pair);
	uncount(&t->clients, a->client);
}
