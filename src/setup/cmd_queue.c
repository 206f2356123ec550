/* setup queue list, show, stats: what waits, and for what. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "queue/queue_id.h"
#include "setup/cmd_queue.h"
#include "setup/message.h"
#include "setup/queue_door.h"
#include "setup/queue_past.h"
#include "setup/queue_print.h"

struct listing {
	struct queue_reasons reasons;
	bool json;
	uint64_t count, bytes;
};

static int list_one(void *ctx, const struct operator_message *m,
		    const struct operator_recipient *recipients, struct err *err)
{
	struct listing *l = ctx;
	(void)err;

	if (l->json) {
		queue_print_json(m, recipients, &l->reasons);
		return 0;
	}
	if (l->count++ == 0)
		queue_print_head();
	l->bytes += m->size;
	queue_print_message(m, recipients, &l->reasons);
	return 0;
}

enum setup_exit queue_list(struct setup *s, struct ipc_client *queue, void *json)
{
	struct listing l = { .json = json != NULL };
	struct err err;

	queue_reasons_load(&l.reasons, s);
	int r = queue_door_each(queue, list_one, &l, &err);
	queue_reasons_done(&l.reasons);
	if (r < 0)
		return message_fail(s, "%s", err.text);
	if (!l.json && l.count == 0)
		puts("Mail queue is empty");
	else if (!l.json)
		queue_print_foot(l.count, l.bytes);
	return SETUP_OK;
}

enum setup_exit cmd_queue_list(struct setup *s)
{
	bool json = str_eq(setup_arg(s, 0), STR("--json"));

	if (s->count && !json)
		return message_fail_usage(s, "'%" STR_FMT "' is not understood",
					  STR_ARG(setup_arg(s, 0)));
	if (!message_args_end(s, 1))
		return SETUP_ERROR;
	return queue_door_open(s, false, queue_list, json ? s : NULL);
}

static int show_envelope(void *ctx, const struct operator_message *m,
			 const struct operator_recipient *recipients, struct err *err)
{
	(void)ctx, (void)err;
	printf("Queue id:  %s\nState:     %s\nReceived:  ", queue_id_text(m->id).c,
	       queue_state_word(m->state));
	print_time(queue_id_usec(m->id) / 1000000);
	printf("\nSize:      %" PRIu64 "\nSender:    <", m->size);
	print_text(m->sender);
	puts(">");
	if (m->auth_user.n) {
		fputs("Login:     ", stdout);
		print_text(m->auth_user);
		putchar('\n');
	}
	if (m->client_address.n) {
		fputs("Client:    ", stdout);
		print_text(m->client_address);
		putchar('\n');
	}
	for (uint32_t i = 0; i < m->recipients; i++) {
		fputs("Recipient: <", stdout);
		print_text(recipients[i].address);
		puts(">");
	}
	if (m->next) {
		fputs("Next try:  ", stdout);
		print_time(m->next);
		printf(" (after %" PRIu32 ")", m->attempts);
		putchar('\n');
	}
	return 0;
}

static int show_content(struct ipc_client *queue, uint64_t id, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct operator_content_in in = { id };
	struct operator_content_out out;
	static char block[65536];

	int r = operator_content(queue, &in, &a, &out, err);
	if (r < 0)
		return r;
	auto_close int fd = out.file;
	while (out.length) {
		size_t part = out.length < sizeof(block) ? (size_t)out.length : sizeof(block);
		ssize_t n = fd_pread_all(fd, block, part, out.offset);
		if (n <= 0)
			return err_set(err, n < 0 ? (int)n : -EIO, "the message cannot be read");
		fwrite(block, 1, (size_t)n, stdout);
		out.offset += (uint64_t)n;
		out.length -= (uint64_t)n;
	}
	return 0;
}

static enum setup_exit show(struct setup *s, struct ipc_client *queue, void *arg)
{
	uint64_t id = *(const uint64_t *)arg;
	struct err err = { 0 };

	int r = queue_door_find(queue, id, show_envelope, NULL, &err);
	if (r == -ENOENT)
		return message_fail(s, "'%s' is not in the queue", queue_id_text(id).c);
	if (r == 0) {
		puts("\nWhat happened so far:");
		queue_trace_id(s, id);
		putchar('\n');
		r = show_content(queue, id, &err);
	}
	return r < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

enum setup_exit cmd_queue_show(struct setup *s)
{
	uint64_t id;

	if (!message_args_end(s, 1))
		return SETUP_ERROR;
	if (queue_id_parse(setup_arg(s, 0), &id) < 0)
		return message_fail_usage(s, "'%" STR_FMT "' is no queue id",
					  STR_ARG(setup_arg(s, 0)));
	return queue_door_open(s, false, show, &id);
}

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

static enum setup_exit stats(struct setup *s, struct ipc_client *queue, void *unused)
{
	struct stats t = { .all = { .name = STR("TOTAL") }, .now_s = time(NULL) };
	struct err err;
	(void)unused;

	map_init(&t.by_name);
	int r = queue_door_each(queue, count_one, &t, &err);
	size_t n = 0;
	struct domain **sorted = ARENA_NEW_ARRAY(&t.arena, struct domain *, t.by_name.count + 1);
	for (struct map_slot *m = map_next(&t.by_name, NULL); m; m = map_next(&t.by_name, m))
		sorted[n++] = m->value;
	if (r == 0) {
		qsort(sorted, n, sizeof(*sorted), compare_domains);
		printf("%30s %6s", "", "T");
		for (int i = 0; i + 1 < AGES; i++)
			printf(" %5d", 5 << i);
		printf(" %4d+\n", 5 << (AGES - 2));
		print_domain(&t.all);
		for (size_t i = 0; i < n; i++)
			print_domain(sorted[i]);
	}
	map_done(&t.by_name);
	arena_done(&t.arena);
	return r < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

enum setup_exit cmd_queue_stats(struct setup *s)
{
	return message_args_end(s, 0) ? queue_door_open(s, false, stats, NULL) : SETUP_ERROR;
}
