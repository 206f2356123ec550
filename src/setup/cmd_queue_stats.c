/* setup queue stats: what waits by destination and age. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/map.h"
#include "queue/queue_id.h"
#include "setup/cmd_queue.h"
#include "setup/message.h"
#include "setup/queue_door.h"
#include "setup/queue_print.h"

/* As qshape: minutes, each twice the one before. */
#define AGES 10

struct domain {
	struct str name;
	uint64_t total, ages[AGES];
};

struct stats {
	struct map by_name;
	struct arena arena;
	struct domain all;
	int64_t now_s;
};

static void count_age(struct domain *d, int64_t minutes)
{
	size_t i = 0;

	while (i + 1 < AGES && minutes >= (int64_t)5 << i)
		i++;
	d->ages[i]++;
	d->total++;
}

static struct domain *domain_of(struct stats *t, struct str address)
{
	char *name = arena_cstr(&t->arena,
				str_skip(address, (size_t)(str_rfind_byte(address, '@') + 1)));

	str_lower_bytes(name, strlen(name));
	struct domain *d = map_get(&t->by_name, str_from(name));
	if (!d) {
		d = ARENA_NEW(&t->arena, struct domain);
		d->name = str_from(name);
		map_put(&t->by_name, d->name, d);
	}
	return d;
}

static int count_one(void *ctx, const struct operator_message *m,
		     const struct operator_recipient *recipients, struct err *err)
{
	struct stats *t = ctx;
	int64_t minutes = (t->now_s - queue_id_usec(m->id) / 1000000) / 60;
	(void)err;

	for (uint32_t i = 0; i < m->recipients; i++) {
		count_age(domain_of(t, recipients[i].address), minutes);
		count_age(&t->all, minutes);
	}
	return 0;
}

static int compare_domains(const void *a, const void *b)
{
	const struct domain *const *x = a, *const *y = b;

	if ((*x)->total != (*y)->total)
		return (*x)->total < (*y)->total ? 1 : -1;
	return str_cmp((*x)->name, (*y)->name);
}

static void print_domain(const struct domain *d)
{
	int width = d->name.n < 30 ? (int)(30 - d->name.n) : 0;

	printf("%*s", width, "");
	print_text(d->name);
	printf(" %6" PRIu64, d->total);
	for (size_t i = 0; i < AGES; i++)
		printf(" %5" PRIu64, d->ages[i]);
	putchar('\n');
}

static void print_table(const struct stats *t, struct domain *const *sorted, size_t n)
{
	printf("%30s %6s", "", "T");
	for (int i = 0; i + 1 < AGES; i++)
		printf(" %5d", 5 << i);
	printf(" %4d+\n", 5 << (AGES - 2));
	print_domain(&t->all);
	for (size_t i = 0; i < n; i++)
		print_domain(sorted[i]);
}

/* One line for each domain; the ages as in the table, by the minutes at their upper end. */
static void print_domain_json(const struct domain *d)
{
	fputs("{\"domain\": ", stdout);
	print_json_string(d->name);
	printf(", \"recipients\": %" PRIu64 ", \"minutes\": {", d->total);
	for (size_t i = 0; i + 1 < AGES; i++)
		printf("\"%d\": %" PRIu64 ", ", 5 << i, d->ages[i]);
	printf("\"more\": %" PRIu64 "}}\n", d->ages[AGES - 1]);
}

static enum setup_exit stats(struct setup *s, struct ipc_client *queue, void *json)
{
	struct stats t = { .all = { .name = STR("TOTAL") }, .now_s = time(NULL) };
	struct err err;

	map_init(&t.by_name);
	int r = queue_door_each(s, queue, count_one, &t, &err);
	size_t n = 0;
	struct domain **sorted = ARENA_NEW_ARRAY(&t.arena, struct domain *, t.by_name.count + 1);
	for (struct map_slot *m = map_next(&t.by_name, NULL); m; m = map_next(&t.by_name, m))
		sorted[n++] = m->value;
	qsort(sorted, n, sizeof(*sorted), compare_domains);
	if (r == 0 && !json)
		print_table(&t, sorted, n);
	for (size_t i = 0; r == 0 && json && i < n; i++)
		print_domain_json(sorted[i]);
	map_done(&t.by_name);
	arena_done(&t.arena);
	return r < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

enum setup_exit cmd_queue_stats(struct setup *s)
{
	bool json = queue_take_json(s);

	return message_args_end(s, 0) ? queue_door_open(s, false, stats, json ? s : NULL)
				      : SETUP_ERROR;
}
