#include "smtp/throttle.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/map.h"
#include "smtp/known.h"

/* 'A' and four bytes of an IPv4 address, 'B' and the first eight of an IPv6 one, or the text. */
#define KEY_MAX INET6_ADDRSTRLEN

/* About 6 MiB when full. */
#define KNOWN_MAX 65536

struct entry {
	size_t count;
	size_t key_n;
	char key[KEY_MAX];
};

struct smtp_throttle {
	struct map by_address;
	struct smtp_known *known;
	size_t per_address, max_total, total;
};

struct smtp_throttle *smtp_throttle_new(size_t per_address, size_t total)
{
	struct smtp_throttle *t = calloc(1, sizeof(*t));
	if (!t)
		check_no_memory();
	map_init(&t->by_address);
	t->known = smtp_known_new(KNOWN_MAX);
	t->per_address = per_address;
	t->max_total = total;
	return t;
}

void smtp_throttle_free(struct smtp_throttle *t)
{
	if (!t)
		return;
	check(t->total == 0);
	map_done(&t->by_address);
	smtp_known_free(t->known);
	free(t);
}

struct smtp_known *smtp_throttle_known(struct smtp_throttle *t)
{
	return t->known;
}

size_t smtp_throttle_total(const struct smtp_throttle *t)
{
	return t->total;
}

static struct str make_key(const char *address, char key[KEY_MAX])
{
	struct in6_addr v6;
	if (inet_pton(AF_INET, address, key + 1) == 1) {
		key[0] = 'A';
		return str_of(key, 1 + sizeof(struct in_addr));
	}
	if (inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_V4MAPPED(&v6)) {
		key[0] = 'A';
		memcpy(key + 1, v6.s6_addr + 12, 4);
		return str_of(key, 1 + sizeof(struct in_addr));
	}
	if (inet_pton(AF_INET6, address, &v6) == 1) {
		key[0] = 'B';
		memcpy(key + 1, v6.s6_addr, 8);
		return str_of(key, 9);
	}
	return str_sub(str_from(address), 0, KEY_MAX);
}

size_t smtp_throttle_count(const struct smtp_throttle *t, const char *address)
{
	char bytes[KEY_MAX];
	const struct entry *e = map_get(&t->by_address, make_key(address, bytes));
	return e ? e->count : 0;
}

static struct entry *entry_of(struct smtp_throttle *t, struct str key)
{
	struct entry *e = map_get(&t->by_address, key);
	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		check_no_memory();
	memcpy(e->key, key.p, key.n);
	e->key_n = key.n;
	map_put(&t->by_address, str_of(e->key, e->key_n), e);
	return e;
}

enum smtp_throttle_verdict smtp_throttle_enter(struct smtp_throttle *t, const char *address)
{
	char bytes[KEY_MAX];
	struct entry *e = entry_of(t, make_key(address, bytes));

	e->count++;
	t->total++;
	if (t->total > t->max_total)
		return SMTP_THROTTLE_TOTAL;
	return e->count > t->per_address ? SMTP_THROTTLE_ADDRESS : SMTP_THROTTLE_OK;
}

void smtp_throttle_leave(struct smtp_throttle *t, const char *address)
{
	char bytes[KEY_MAX];
	struct str key = make_key(address, bytes);
	struct entry *e = map_get(&t->by_address, key);

	check(e && e->count && t->total);
	t->total--;
	if (--e->count)
		return;
	map_remove(&t->by_address, key);
	free(e);
}
