/* setup queue retry, hold, release, delete, flush. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "queue/queue_id.h"
#include "setup/cmd_queue.h"
#include "setup/message.h"
#include "setup/queue_door.h"

/* A wish on its way to the queue: ids go there in batches, so that a queue of a million messages
 * is busy with none of them for long. */
struct action {
	struct setup *s;
	const struct queue_wish *wish;
	struct str domain; /* only what goes there */
	struct ipc_client *queue;
	struct operator_id *batch; /* OPERATOR_ACT_MAX */
	size_t count;
	uint64_t changed, missing;
};

static int send_batch(struct action *a, struct err *err)
{
	auto_arena struct arena memory = ARENA_INIT;
	struct operator_act_in in = {
		.action = (uint8_t)a->wish->action,
		.ids = a->batch,
		.ids_count = a->count,
	};
	struct operator_act_out out;

	if (a->count == 0)
		return 0;
	a->count = 0;
	int r = operator_act(a->queue, &in, &memory, &out, err);
	if (r < 0)
		return r;
	a->changed += out.count;
	/* One of a list that we have made ourselves has been delivered meanwhile. */
	for (size_t i = 0; i < out.missing_count && a->wish->ids; i++)
		message(a->s, MESSAGE_ERROR, "'%s' is not in the queue",
			queue_id_text(out.missing[i].id).c);
	a->missing += a->wish->ids ? out.missing_count : 0;
	return 0;
}

static int add(struct action *a, struct operator_id id, struct err *err)
{
	a->batch[a->count++] = id;
	return a->count < OPERATOR_ACT_MAX ? 0 : send_batch(a, err);
}

static int add_named(struct action *a, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < a->wish->id_count && r == 0; i++)
		r = add(a, a->wish->ids[i], err);
	return r;
}

static int add_states(struct action *a, struct err *err)
{
	struct queue_ids ids;

	int r = queue_door_ids(a->s, a->queue, a->wish->states, &ids, err);
	for (size_t i = 0; r == 0 && i < ids.count; i++)
		r = add(a, ids.v[i], err);
	return r;
}

static bool is_for_domain(struct str domain, const struct operator_message *m,
			  const struct operator_recipient *recipients)
{
	for (uint32_t i = 0; i < m->recipients; i++) {
		struct str address = recipients[i].address;
		if (str_eq_nocase(str_skip(address, (size_t)(str_rfind_byte(address, '@') + 1)),
				  domain))
			return true;
	}
	return false;
}

static int add_one(void *ctx, const struct operator_message *m,
		   const struct operator_recipient *recipients, struct err *err)
{
	struct action *a = ctx;
	struct operator_id id = { m->id };

	if (m->state != OPERATOR_DEFERRED || !is_for_domain(a->domain, m, recipients))
		return 0;
	return add(a, id, err);
}

static enum setup_exit act(struct setup *s, struct ipc_client *queue, void *arg)
{
	struct action *a = arg;
	struct err err = { 0 };
	int r;

	a->s = s;
	a->queue = queue;
	a->batch = ARENA_NEW_ARRAY(&s->arena, struct operator_id, OPERATOR_ACT_MAX);
	if (a->wish->ids)
		r = add_named(a, &err);
	else if (a->domain.n)
		r = queue_door_each(s, queue, add_one, a, &err);
	else
		r = add_states(a, &err);
	if (r == 0)
		r = send_batch(a, &err);
	if (r < 0)
		return message_fail(s, "%s", err.text);
	printf("%s: %" PRIu64 " message%s\n", a->wish->done, a->changed,
	       a->changed == 1 ? "" : "s");
	return a->missing ? SETUP_ERROR : SETUP_OK;
}

enum setup_exit queue_act_on(struct setup *s, const struct queue_wish *wish)
{
	struct action a = { .wish = wish };

	return queue_door_open(s, false, act, &a);
}

enum setup_exit queue_flush(struct setup *s, struct str domain)
{
	struct queue_wish wish = {
		.action = OPERATOR_RETRY,
		.done = "Tried now",
		.states = 1u << OPERATOR_DEFERRED,
	};
	struct action a = { .wish = &wish, .domain = domain };

	return queue_door_open(s, false, act, &a);
}

bool queue_parse_ids(struct setup *s, const struct str *words, size_t count,
		     struct queue_wish *wish)
{
	wish->ids = ARENA_NEW_ARRAY(&s->arena, struct operator_id, count + 1);
	wish->id_count = count;
	for (size_t i = 0; i < count; i++) {
		if (queue_id_parse(words[i], &wish->ids[i].id) == 0)
			continue;
		message_fail_usage(s, "'%" STR_FMT "' is no queue id", STR_ARG(words[i]));
		return false;
	}
	return true;
}

static enum setup_exit act_on_args(struct setup *s, enum operator_action action, const char *done)
{
	struct queue_wish wish = { .action = action, .done = done };
	bool all = s->count == 1 && str_eq_nocase(s->args[0], STR("all"));

	if (!all && !queue_parse_ids(s, s->args, s->count, &wish))
		return SETUP_ERROR;
	return queue_act_on(s, &wish);
}

enum setup_exit cmd_queue_retry(struct setup *s)
{
	return act_on_args(s, OPERATOR_RETRY, "Tried now");
}

enum setup_exit cmd_queue_hold(struct setup *s)
{
	return act_on_args(s, OPERATOR_HOLD, "Placed on hold");
}

enum setup_exit cmd_queue_release(struct setup *s)
{
	return act_on_args(s, OPERATOR_RELEASE, "Released from hold");
}

enum setup_exit cmd_queue_delete(struct setup *s)
{
	return act_on_args(s, OPERATOR_DELETE, "Deleted");
}

enum setup_exit cmd_queue_flush(struct setup *s)
{
	return message_args_end(s, 1) ? queue_flush(s, setup_arg(s, 0)) : SETUP_ERROR;
}
