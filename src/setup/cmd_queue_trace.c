/* setup queue trace: why has my mail not arrived? */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "queue/queue_id.h"
#include "setup/cmd_queue.h"
#include "setup/message.h"
#include "setup/queue_door.h"
#include "setup/queue_past.h"
#include "setup/queue_print.h"

/* A message, and what there is to say of it. */
struct traced {
	struct list link;
	uint64_t id;
	struct list lines;
};

struct traced_line {
	struct list link;
	struct history_line line;
};

struct trace {
	struct str wanted;  /* a Message-ID, an address or a queue id */
	uint64_t wanted_id; /* as a queue id; 0: it is none */
	bool json;
	struct arena arena;
	struct map by_id;
	struct list all; /* in the order in which they came in */
};

static struct str key_of(const uint64_t *id)
{
	return str_of(id, sizeof(*id));
}

static struct str without_brackets(struct str s)
{
	return str_starts(s, STR("<")) && str_ends(s, STR(">")) ? str_sub(s, 1, s.n - 2) : s;
}

static bool is_wanted(const struct trace *t, const struct history_line *l)
{
	if (t->wanted_id && l->id == t->wanted_id)
		return true;
	if (!str_eq(l->kind, STR("received")))
		return str_eq_nocase(l->fields[HISTORY_RECIPIENT], t->wanted);
	return str_eq_nocase(l->fields[HISTORY_SENDER], t->wanted) ||
	       str_eq(without_brackets(l->fields[HISTORY_MESSAGE_ID]), t->wanted);
}

static void find_ids(void *ctx, const struct history_line *l)
{
	struct trace *t = ctx;

	if (!is_wanted(t, l) || map_get(&t->by_id, key_of(&l->id)))
		return;
	struct traced *m = ARENA_NEW(&t->arena, struct traced);
	m->id = l->id;
	list_init(&m->lines);
	map_put(&t->by_id, key_of(&m->id), m);
	list_append(&t->all, &m->link);
}

static void collect(void *ctx, const struct history_line *l)
{
	struct trace *t = ctx;
	struct traced *m = map_get(&t->by_id, key_of(&l->id));

	if (!m)
		return;
	struct traced_line *copy = ARENA_NEW(&t->arena, struct traced_line);
	copy->line = *l;
	copy->line.kind = arena_str(&t->arena, l->kind);
	for (size_t i = 0; i < HISTORY_FIELDS; i++)
		copy->line.fields[i] = arena_str(&t->arena, l->fields[i]);
	list_append(&m->lines, &copy->link);
}

static void print_field(const char *before, struct str s, const char *after)
{
	if (!s.n)
		return;
	fputs(before, stdout);
	print_text(s);
	fputs(after, stdout);
}

static void print_received(const struct history_line *l)
{
	fputs("received", stdout);
	print_field(" ", l->fields[HISTORY_SIZE], " bytes");
	print_field(" from <", l->fields[HISTORY_SENDER], ">");
	if (!l->fields[HISTORY_SENDER].n)
		fputs(" from <>", stdout);
	print_field(", login ", l->fields[HISTORY_LOGIN], "");
	print_field(", client ", l->fields[HISTORY_CLIENT], "");
	print_field(", Message-ID ", l->fields[HISTORY_MESSAGE_ID], "");
	putchar('\n');
}

static void print_attempt(const struct history_line *l)
{
	print_text(l->kind);
	print_field(" <", l->fields[HISTORY_RECIPIENT], ">");
	print_field(", host ", l->fields[HISTORY_RELAY], "");
	print_field(", TLS: ", l->fields[HISTORY_TLS], "");
	print_field(", status ", l->fields[HISTORY_STATUS], "");
	print_field(": ", l->fields[HISTORY_TEXT], "");
	putchar('\n');
}

static void print_lines(const struct traced *m)
{
	LIST_FOREACH (it, &m->lines) {
		const struct history_line *l = &LIST_ITEM(it, struct traced_line, link)->line;
		fputs("  ", stdout);
		print_time(l->time_ms / 1000);
		fputs("  ", stdout);
		if (str_eq(l->kind, STR("received")))
			print_received(l);
		else
			print_attempt(l);
	}
}

static int print_now(void *ctx, const struct operator_message *m,
		     const struct operator_recipient *recipients, struct err *err)
{
	(void)ctx, (void)err;
	printf("  now: in the queue (%s), to be delivered to", queue_state_word(m->state));
	for (uint32_t i = 0; i < m->recipients; i++)
		print_field(" <", recipients[i].address, ">");
	if (m->next) {
		fputs(", next attempt ", stdout);
		print_time(m->next);
	}
	putchar('\n');
	return 0;
}

/* The fields of a line have names by its kind. */
static void print_line_json(const struct history_line *l)
{
	static const char *const received[HISTORY_FIELDS] = {
		[HISTORY_SENDER] = "sender", [HISTORY_MESSAGE_ID] = "message_id",
		[HISTORY_SIZE] = "size",     [HISTORY_CLIENT] = "client_address",
		[HISTORY_LOGIN] = "login",
	};
	static const char *const attempt[HISTORY_FIELDS] = {
		[HISTORY_RECIPIENT] = "recipient", [HISTORY_RELAY] = "host", [HISTORY_TLS] = "tls",
		[HISTORY_STATUS] = "status",	   [HISTORY_TEXT] = "text",
	};
	const char *const *names = str_eq(l->kind, STR("received")) ? received : attempt;

	printf("{\"time\": %" PRId64, l->time_ms / 1000);
	print_json_field("event", l->kind);
	for (size_t i = 0; i < HISTORY_FIELDS; i++)
		print_json_field(names[i], l->fields[i]);
	putchar('}');
}

static void print_events_json(const struct traced *m)
{
	putchar('[');
	LIST_FOREACH (it, &m->lines) {
		if (it != m->lines.next)
			fputs(", ", stdout);
		print_line_json(&LIST_ITEM(it, struct traced_line, link)->line);
	}
	putchar(']');
}

static int print_now_json(void *ctx, const struct operator_message *m,
			  const struct operator_recipient *recipients, struct err *err)
{
	struct queue_reasons none = { 0 };
	(void)ctx, (void)err;

	map_init(&none.by_recipient);
	fputs(", \"now\": {", stdout);
	queue_print_json(m, recipients, &none);
	putchar('}');
	queue_reasons_done(&none);
	return 0;
}

/* "now" is missing when it is not known, and null for what is not in the queue any more. */
static void print_json(const struct traced *m, struct ipc_client *queue)
{
	struct err err;

	printf("{\"queue_id\": \"%s\", \"events\": ", queue_id_text(m->id).c);
	print_events_json(m);
	if (queue && queue_door_find(queue, m->id, print_now_json, NULL, &err) < 0)
		fputs(", \"now\": null", stdout);
	puts("}");
}

static enum setup_exit print_all(struct setup *s, struct ipc_client *queue, void *arg)
{
	struct trace *t = arg;
	struct err err;
	(void)s;

	LIST_FOREACH (it, &t->all) {
		const struct traced *m = LIST_ITEM(it, struct traced, link);
		if (t->json) {
			print_json(m, queue);
			continue;
		}
		printf("%s\n", queue_id_text(m->id).c);
		print_lines(m);
		if (!queue)
			puts("  now: not known, the queue cannot be reached");
		else if (queue_door_find(queue, m->id, print_now, NULL, &err) < 0)
			puts("  now: not in the queue any more");
	}
	return SETUP_OK;
}

static int load(struct trace *t, struct setup *s, struct err *err)
{
	map_init(&t->by_id);
	list_init(&t->all);
	int r = queue_past_each(s, find_ids, t, err);
	return r < 0 ? r : queue_past_each(s, collect, t, err);
}

static void trace_done(struct trace *t)
{
	map_done(&t->by_id);
	arena_done(&t->arena);
}

enum setup_exit cmd_queue_trace(struct setup *s)
{
	struct trace t = { .json = queue_take_json(s) };
	enum setup_exit result;
	struct err err;

	if (!message_args_end(s, 1))
		return SETUP_ERROR;
	if (s->count == 0)
		return message_fail_usage(s, "There is nothing to look for");
	t.wanted = without_brackets(setup_arg(s, 0));
	if (queue_id_parse(t.wanted, &t.wanted_id) < 0)
		t.wanted_id = 0;
	if (load(&t, s, &err) < 0)
		result = message_fail(s, "%s", err.text);
	else if (list_empty(&t.all))
		result = message_fail(s, "The history knows nothing of '%" STR_FMT "'",
				      STR_ARG(setup_arg(s, 0)));
	else
		result = queue_door_open(s, true, print_all, &t);
	trace_done(&t);
	return result;
}

void queue_trace_id(struct setup *s, uint64_t id, bool json)
{
	struct trace t = { 0 };
	struct traced m = { .id = id };
	struct err err;

	map_init(&t.by_id);
	list_init(&m.lines);
	map_put(&t.by_id, key_of(&m.id), &m);
	(void)!queue_past_each(s, collect, &t, &err);
	if (json)
		print_events_json(&m);
	else
		print_lines(&m);
	trace_done(&t);
}
