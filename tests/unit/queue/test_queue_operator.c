/* What operators see and do, while mail comes and goes. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "disk.h"
#include "queue/operator.h"
#include "queue/operator_ipc.h"

#define HOUR ((int64_t)3600 * 1000)

static int later(struct world *w, const struct courier_deliver_in *in,
		 const struct courier_recipient *r, struct courier_deliver_out *out)
{
	(void)w, (void)in, (void)out;
	return str_starts(r->address, STR("busy")) ? COURIER_TRY_AGAIN : COURIER_DELIVERED;
}

static int64_t slowly(struct world *w, const struct courier_deliver_in *in)
{
	(void)w, (void)in;
	return 1000;
}

static int act(struct world *w, enum operator_action action, uint64_t id, uint64_t *count)
{
	auto_arena struct arena a = ARENA_INIT;
	struct operator_id ids = { id };
	struct operator_act_in in = { (uint8_t)action, &ids, 1 };
	struct operator_act_out out = { 0 };
	struct err err = { 0 };

	int r = operator_act(w->operators, &in, &a, &out, &err);
	*count = out.count;
	return r;
}

/* The ids of what is in these states; their number. */
static size_t list_ids(struct world *w, unsigned states, uint64_t *ids, size_t max)
{
	auto_arena struct arena a = ARENA_INIT;
	struct operator_ids_in in = { (uint8_t)states };
	struct operator_ids_out out;
	struct err err;

	assert_int_equal(operator_ids(w->operators, &in, &a, &out, &err), 0);
	assert_in_range(out.count, 0, max);
	assert_int_equal(pread(out.ids, ids, max * sizeof(*ids), 0), out.count * sizeof(*ids));
	close(out.ids);
	return out.count;
}

static void act_on(struct world *w, enum operator_action action, uint64_t id, uint64_t expected)
{
	uint64_t count;

	assert_int_equal(act(w, action, id, &count), 0);
	assert_int_equal(count, expected);
}

static uint64_t submit(struct world *w, const char *address)
{
	struct queue_recipient rcpt = { .address = str_from(address), .kind = ENVELOPE_REMOTE };
	uint64_t id;

	assert_int_equal(world_submit(w, "bob@example.org", &rcpt, 1, &id), 0);
	return id;
}

IN_WORLD(what_is_deferred_is_held_released_and_deleted)
{
	w->courier_script = later;
	uint64_t id = submit(w, "busy@example.com");
	world_sleep(w, 100);
	assert_int_equal(w->shipment_count, 1);
	act_on(w, OPERATOR_RETRY, id, 1);
	world_sleep(w, 100);
	assert_int_equal(w->shipment_count, 2);
	act_on(w, OPERATOR_HOLD, id, 1);
	act_on(w, OPERATOR_HOLD, id, 0);
	act_on(w, OPERATOR_RETRY, id, 0);
	world_restart(w);
	world_sleep(w, 10 * HOUR);
	assert_int_equal(w->shipment_count, 2);
	act_on(w, OPERATOR_RELEASE, id, 1);
	world_sleep(w, 100);
	assert_int_equal(w->shipment_count, 3);
	act_on(w, OPERATOR_DELETE, id, 1);
	uint64_t count;
	assert_int_equal(act(w, OPERATOR_DELETE, id, &count), 0);
	assert_int_equal(count, 0);
	world_restart(w);
	assert_int_equal(world_messages(w), 0);
	world_sleep(w, 10 * HOUR);
	assert_int_equal(w->shipment_count, 3);
	assert_int_equal(w->delivery_count, 0);
}

IN_WORLD(what_is_in_flight_ends_before_it_is_held_or_deleted)
{
	w->courier_slow = slowly;
	w->courier_script = later;
	uint64_t held = submit(w, "busy@example.com"), deleted = submit(w, "busy@example.net");
	uint64_t sent = submit(w, "x@example.net");
	world_sleep(w, 100);
	act_on(w, OPERATOR_HOLD, held, 1);
	act_on(w, OPERATOR_HOLD, sent, 1);
	act_on(w, OPERATOR_DELETE, deleted, 1);
	assert_int_equal(world_messages(w), 3);
	world_sleep(w, 2000);
	assert_int_equal(world_messages(w), 1);
	world_sleep(w, 2 * HOUR);
	assert_int_equal(w->shipment_count, 3);
	act_on(w, OPERATOR_RELEASE, held, 1);
	world_sleep(w, 100);
	assert_int_equal(w->shipment_count, 4);
}

IN_WORLD(what_stands_in_line_is_not_sent_when_it_is_withdrawn)
{
	uint64_t ids[40];

	w->courier_slow = slowly;
	for (int i = 0; i < 40; i++)
		ids[i] = submit(w, "x@example.com");
	world_sleep(w, 100);
	assert_int_equal(w->calls, 5);
	for (int i = 0; i < 40; i++)
		act_on(w, i % 2 ? OPERATOR_HOLD : OPERATOR_DELETE, ids[i], 1);
	world_sleep(w, HOUR);
	assert_int_equal(w->shipment_count, 5);
	/* Of the five that were under way, those to be held have been sent. */
	assert_int_equal(world_messages(w), 18);
	assert_int_equal(list_ids(w, 1u << OPERATOR_DEFERRED, ids, 40), 0);
	assert_int_equal(list_ids(w, 0, ids, 40), 18);
	assert_int_equal(list_ids(w, 1u << OPERATOR_HELD, ids, 40), 18);
	for (int i = 0; i < 18; i++)
		act_on(w, OPERATOR_RELEASE, ids[i], 1);
	world_sleep(w, HOUR);
	assert_int_equal(w->shipment_count, 23);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(what_is_not_there_is_named_and_the_others_are_acted_on)
{
	auto_arena struct arena a = ARENA_INIT;
	static struct operator_id ids[OPERATOR_ACT_MAX + 1];
	struct operator_act_in in = { OPERATOR_HOLD, ids, 3 };
	struct operator_act_out out;
	struct err err;

	w->courier_script = later;
	ids[0].id = 17;
	ids[1].id = submit(w, "busy@example.com");
	ids[2].id = 99;
	world_sleep(w, 100);
	assert_int_equal(operator_act(w->operators, &in, &a, &out, &err), 0);
	assert_int_equal(out.count, 1);
	assert_int_equal(out.missing_count, 2);
	assert_int_equal(out.missing[0].id, 17);
	assert_int_equal(out.missing[1].id, 99);
	in.ids_count = OPERATOR_ACT_MAX + 1;
	assert_int_equal(operator_act(w->operators, &in, &a, &out, &err), -E2BIG);
}

IN_WORLD(a_delivery_that_waits_for_its_checkpoint_can_be_deleted)
{
	struct queue_recipient rcpts[] = {
		{ .address = STR("alice@example.org"), .kind = ENVELOPE_MAILBOX },
		{ .address = STR("busy@example.com"), .kind = ENVELOPE_REMOTE },
	};
	uint64_t id;

	w->courier_script = later;
	w->checkpoint_slow_ms = 5000;
	assert_int_equal(world_submit(w, "bob@example.org", rcpts, 2, &id), 0);
	world_sleep(w, 3000);
	act_on(w, OPERATOR_DELETE, id, 1);
	world_sleep(w, 10000);
	assert_int_equal(world_messages(w), 0);
	world_restart(w);
	world_sleep(w, HOUR);
	assert_int_equal(w->shipment_count, 1);
	assert_int_equal(w->delivery_count, 1);
}

IN_WORLD(what_cannot_be_written_is_not_said_to_be_done)
{
	uint64_t count;

	w->courier_script = later;
	uint64_t id = submit(w, "busy@example.com");
	world_sleep(w, 5000);
	disk_fail(1, 100, EIO);
	assert_int_equal(act(w, OPERATOR_HOLD, id, &count), -EIO);
	disk_mend();
}

IN_WORLD(messages_are_described_in_any_number)
{
	auto_arena struct arena a = ARENA_INIT;
	struct operator_id ids[OPERATOR_IDS_MAX];
	struct operator_messages_in in = { ids, ARRAY_LEN(ids) };
	struct operator_messages_out out;
	static struct queue_recipient rcpts[1300];
	static char addresses[1300][200];
	struct err err;
	uint64_t id;

	w->courier_script = later;
	for (size_t i = 0; i < ARRAY_LEN(rcpts); i++) {
		snprintf(addresses[i], sizeof(addresses[i]), "busy%zu-%0150d@example.com", i, 0);
		rcpts[i].address = str_from(addresses[i]);
		rcpts[i].kind = ENVELOPE_REMOTE;
	}
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ids[i].id = submit(w, "busy@example.com");
	ids[7].id = 1;
	assert_int_equal(world_submit(w, "bob@example.org", rcpts, ARRAY_LEN(rcpts), &id), 0);
	world_sleep(w, 1000);
	assert_int_equal(operator_messages(w->operators, &in, &a, &out, &err), 0);
	assert_int_equal(out.asked, OPERATOR_IDS_MAX);
	assert_int_equal(out.messages_count, OPERATOR_IDS_MAX - 1);
	assert_int_equal(out.recipients_count, OPERATOR_IDS_MAX - 1);
	assert_int_equal(out.messages[0].state, OPERATOR_DEFERRED);

	/* One that is too large for an answer: as much as goes. */
	ids[0].id = id;
	assert_int_equal(operator_messages(w->operators, &in, &a, &out, &err), 0);
	assert_int_equal(out.asked, 1);
	assert_int_equal(out.messages_count, 1);
	assert_in_range(out.recipients_count, 900, 1200);
	assert_int_equal(out.messages[0].recipients, out.recipients_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(what_is_deferred_is_held_released_and_deleted),
		fiber_test(what_is_in_flight_ends_before_it_is_held_or_deleted),
		fiber_test(what_stands_in_line_is_not_sent_when_it_is_withdrawn),
		fiber_test(what_is_not_there_is_named_and_the_others_are_acted_on),
		fiber_test(a_delivery_that_waits_for_its_checkpoint_can_be_deleted),
		fiber_test(what_cannot_be_written_is_not_said_to_be_done),
		fiber_test(messages_are_described_in_any_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
