/* Which next hop is special to a sender, and who forwards its mail: auth knows. Its answers hold
 * for a few seconds. */
#include <errno.h>
#include <stdlib.h>

#include "auth/auth_ipc.h"
#include "core/log.h"
#include "queue/queue_state.h"

/* So late at most a changed relay map is in force. */
#define HOLD_MS 2000

#define ANSWERS_MAX 4096

/* While auth is asked nothing else is dispatched, so one that does not answer is asked as seldom
 * as this. */
#define MUTE_MS 10000

struct answer {
	struct str sender, nexthop, forwarder;
};

void queue_relays_init(struct queue *q)
{
	q->relays = (struct queue_relays){ 0 };
	map_init(&q->relays.by_sender);
}

void queue_relays_done(struct queue *q)
{
	map_done(&q->relays.by_sender);
	arena_done(&q->relays.arena);
}

static void forget(struct queue *q)
{
	int64_t mute_until = q->relays.mute_until;

	queue_relays_done(q);
	queue_relays_init(q);
	q->relays.mute_until = mute_until;
	q->relays.until = loop_now() + HOLD_MS;
}

/* A next hop that makes no sense must not send mail elsewhere. */
static int remember(struct queue *q, struct str sender, const struct auth_relay_out *out,
		    struct err *err)
{
	struct queue_relays *relays = &q->relays;
	struct answer *answer = ARENA_NEW(&relays->arena, struct answer);

	relays->none = out->none;
	if (out->nexthop.n) {
		int r = route_parse(out->nexthop, &relays->arena, &answer->nexthop, err);
		if (r < 0)
			return err_prefix(err, "relay of <%" STR_FMT ">: ", STR_ARG(sender));
	}
	answer->sender = arena_str(&relays->arena, sender);
	answer->forwarder = arena_str(&relays->arena, out->forwarder);
	map_put(&relays->by_sender, answer->sender, answer);
	return 0;
}

/* Nobody waits for it: all mail would wait behind this one. */
static int may_suspend ask(struct queue *q, struct str sender, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct auth_relay_in in = { .sender = sender };
	struct auth_relay_out out;

	if (!ipc_client_connected(q->auth))
		return err_set(err, -EAGAIN, "auth is not there to be asked for a relay");
	if (loop_now() < q->relays.mute_until)
		return err_set(err, -EAGAIN, "auth has not answered lately");
	int r = auth_relay(q->auth, &in, &a, &out, err);
	if (r == -ETIMEDOUT)
		q->relays.mute_until = loop_now() + MUTE_MS;
	return r < 0 ? r : remember(q, sender, &out, err);
}

int queue_relay(struct queue *q, struct queue_active *active, struct err *err)
{
	struct str sender = active->envelope.sender;
	int r = 0;

	active->relay = active->forwarder = STR_NONE;
	if (loop_now() >= q->relays.until || q->relays.by_sender.count > ANSWERS_MAX)
		forget(q);
	if (sender.n == 0 || q->relays.none)
		return 0;
	if (!map_get(&q->relays.by_sender, sender))
		r = ask(q, sender, err);
	if (r < 0)
		return r;
	const struct answer *answer = map_get(&q->relays.by_sender, sender);
	active->relay = arena_str(&active->arena, answer->nexthop);
	active->forwarder = arena_str(&active->arena, answer->forwarder);
	return 0;
}
