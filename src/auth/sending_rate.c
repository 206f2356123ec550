#include "auth/sending_rate.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS 3600000

/* Accounts that are in no debt are forgotten when there are so many. */
#define ACCOUNTS_KEPT 4096

/* A place costs an hour divided by their number. `paid` is when all that were taken are paid: an
 * hour from now at most. In microseconds, for an hour may have many places. */
struct sending_account {
	int64_t paid_us;
	struct str name; /* behind it */
};

void sending_rate_init(struct sending_rate *t, int64_t per_hour)
{
	t->per_hour = per_hour;
	map_init(&t->accounts);
}

void sending_rate_done(struct sending_rate *t)
{
	for (struct map_slot *s = map_next(&t->accounts, NULL); s; s = map_next(&t->accounts, s))
		free(s->value);
	map_done(&t->accounts);
}

static void forget_who_is_in_no_debt(struct sending_rate *t, int64_t now_us)
{
	struct map kept;

	map_init(&kept);
	for (struct map_slot *s = map_next(&t->accounts, NULL); s; s = map_next(&t->accounts, s)) {
		struct sending_account *a = s->value;
		if (a->paid_us > now_us)
			map_put(&kept, a->name, a);
		else
			free(a);
	}
	map_done(&t->accounts);
	t->accounts = kept;
}

static struct sending_account *account_of(struct sending_rate *t, struct str name, int64_t now_us)
{
	struct sending_account *a = map_get(&t->accounts, name);

	if (a)
		return a;
	if (t->accounts.count >= ACCOUNTS_KEPT)
		forget_who_is_in_no_debt(t, now_us);
	a = calloc(1, sizeof(*a) + name.n);
	if (!a)
		check_no_memory();
	memcpy(a + 1, name.p, name.n);
	a->name = str_of(a + 1, name.n);
	map_put(&t->accounts, a->name, a);
	return a;
}

int64_t sending_rate_take(struct sending_rate *t, struct str account, int64_t now_ms)
{
	const int64_t hour = (int64_t)HOUR_MS * 1000, now = now_ms * 1000;

	if (t->per_hour <= 0)
		return 0;
	struct sending_account *a = account_of(t, account, now);
	int64_t paid = (a->paid_us > now ? a->paid_us : now) + hour / t->per_hour;
	if (paid - now > hour)
		return (paid - now - hour + 999) / 1000;
	a->paid_us = paid;
	return 0;
}
