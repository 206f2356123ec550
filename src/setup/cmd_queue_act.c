/* setup queue retry, hold, release, delete, flush. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "queue/queue_id.h"
#include "setup/cmd_queue.h"
#include "setup/message.h"
#include "setup/queue_door.h"

/* Ids on their way to the queue, sent when there are enough. */
struct action {
	enum operator_action action;
	struct operator_id *ids;
	unsigned count;
	struct str domain; /* only what goes there, if it is not empty */
	unsigned states;   /* only what is in these: bits 1 << enum operator_state */
	const char *done;
	struct ipc_client *queue;
	uint64_t changed;
};

static int send_ids(struct action *a, struct operator_id *ids, size_t n, struct err *err)
{
	auto_arena struct arena memory = ARENA_INIT;
	struct operator_act_in in = { .action = (uint8_t)a->action, .ids = ids, .ids_count = n };
	struct operator_act_out out;

	int r = operator_act(a->queue, &in, &memory, &out, err);
	if (r >= 0)
		a->changed += out.count;
	return r < 0 ? r : 0;
}

static enum setup_exit act_on_ids(struct setup *s, struct ipc_client *queue, void *arg)
{
	struct action *a = arg;
	struct err err = { 0 };
	int r = 0;

	a->queue = queue;
	if (!a->ids)
		r = send_ids(a, NULL, 0, &err);
	for (unsigned i = 0; r == 0 && i < a->count; i += OPERATOR_IDS_MAX)
		r = send_ids(a, a->ids + i,
			     a->count - i < OPERATOR_IDS_MAX ? a->count - i : OPERATOR_IDS_MAX,
			     &err);
	if (r < 0)
		return message_fail(s, "%s", err.text);
	printf("%s: %" PRIu64 " message%s\n", a->done, a->changed, a->changed == 1 ? "" : "s");
	/* One that was named and is not there is a mistake. */
	return a->ids && a->changed == 0 ? SETUP_ERROR : SETUP_OK;
}

enum setup_exit queue_act_on(struct setup *s, enum operator_action action, struct str *args,
			     unsigned count, const char *done)
{
	struct action a = { .action = action, .count = count, .done = done };

	if (count == 1 && str_eq_nocase(args[0], STR("all"))) {
		a.count = 0;
		return queue_door_open(s, false, act_on_ids, &a);
	}
	a.ids = ARENA_NEW_ARRAY(&s->arena, struct operator_id, count);
	for (unsigned i = 0; i < count; i++)
		if (queue_id_parse(args[i], &a.ids[i].id) < 0)
			return message_fail_usage(s, "'%" STR_FMT "' is no queue id",
						  STR_ARG(args[i]));
	return queue_door_open(s, false, act_on_ids, &a);
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

static int act_on_one(void *ctx, const struct operator_message *m,
		      const struct operator_recipient *recipients, struct err *err)
{
	struct action *a = ctx;
	struct operator_id id = { m->id };

	if (!(a->states & 1u << m->state) ||
	    (a->domain.n && !is_for_domain(a->domain, m, recipients)))
		return 0;
	return send_ids(a, &id, 1, err);
}

static enum setup_exit act_on_those(struct setup *s, struct ipc_client *queue, void *arg)
{
	struct action *a = arg;
	struct err err;

	a->queue = queue;
	if (queue_door_each(queue, act_on_one, a, &err) < 0)
		return message_fail(s, "%s", err.text);
	printf("%s: %" PRIu64 " message%s\n", a->done, a->changed, a->changed == 1 ? "" : "s");
	return SETUP_OK;
}

enum setup_exit queue_flush(struct setup *s, struct str domain)
{
	struct action a = { .action = OPERATOR_RETRY,
			    .domain = domain,
			    .states = 1u << OPERATOR_DEFERRED,
			    .done = "Tried now" };

	return queue_door_open(s, false, domain.n ? act_on_those : act_on_ids, &a);
}

enum setup_exit queue_act_where(struct setup *s, enum operator_action action, unsigned states,
				const char *done)
{
	struct action a = { .action = action, .states = states, .done = done };

	return queue_door_open(s, false, act_on_those, &a);
}

enum setup_exit cmd_queue_retry(struct setup *s)
{
	return queue_act_on(s, OPERATOR_RETRY, s->args, s->count, "Tried now");
}

enum setup_exit cmd_queue_hold(struct setup *s)
{
	return queue_act_on(s, OPERATOR_HOLD, s->args, s->count, "Placed on hold");
}

enum setup_exit cmd_queue_release(struct setup *s)
{
	return queue_act_on(s, OPERATOR_RELEASE, s->args, s->count, "Released from hold");
}

enum setup_exit cmd_queue_delete(struct setup *s)
{
	return queue_act_on(s, OPERATOR_DELETE, s->args, s->count, "Deleted");
}

enum setup_exit cmd_queue_flush(struct setup *s)
{
	return message_args_end(s, 1) ? queue_flush(s, setup_arg(s, 0)) : SETUP_ERROR;
}
