/* Mail to other servers, with a courier that does as the test says. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "disk.h"

#define MINUTE ((int64_t)60 * 1000)
#define HOUR   (60 * MINUTE)

static int greylist(struct world *w, const struct courier_deliver_in *in,
		    const struct courier_recipient *r, struct courier_deliver_out *out)
{
	(void)w, (void)in, (void)out;
	return str_starts(r->address, STR("busy")) ? COURIER_TRY_AGAIN : COURIER_DELIVERED;
}

static int refuse(struct world *w, const struct courier_deliver_in *in,
		  const struct courier_recipient *r, struct courier_deliver_out *out)
{
	(void)w, (void)in, (void)out;
	return str_starts(r->address, STR("nobody")) ? COURIER_REFUSED : COURIER_DELIVERED;
}

/* Nothing answers at dead*. */
static int unreachable(struct world *w, const struct courier_deliver_in *in,
		       const struct courier_recipient *r, struct courier_deliver_out *out)
{
	(void)w, (void)r;
	if (!str_starts(in->nexthop, STR("dead")))
		return COURIER_DELIVERED;
	out->trouble = COURIER_UNREACHABLE;
	out->relay = STR("none");
	return COURIER_TRY_AGAIN;
}

static int64_t slowly(struct world *w, const struct courier_deliver_in *in)
{
	(void)w;
	return str_starts(in->nexthop, STR("dead")) ? 30000 : 100;
}

static struct queue_recipient remote(const char *address)
{
	return (struct queue_recipient){ .address = str_from(address), .kind = ENVELOPE_REMOTE };
}

static const struct world_shipment *last_shipment(const struct world *w)
{
	assert_true(w->shipment_count > 0);
	return &w->shipments[w->shipment_count - 1];
}

IN_WORLD(a_remote_message_goes_to_the_domains_next_hop)
{
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@Example.COM"), 0);
	world_sleep(w, 100);
	assert_int_equal(w->shipment_count, 1);
	assert_string_equal(w->shipments[0].nexthop, "example.com");
	assert_string_equal(w->shipments[0].sender, "bob@example.org");
	assert_non_null(strstr(w->shipments[0].content, "Received: by the test\r\nSubject: "));
	assert_true(world_log_has(w, "to=<x@Example.COM>, relay=mx.example.com[192.0.2.1]:25, "
				     "tls=TLSv1.3, delay=0.00, dsn=2.0.0, "
				     "status=sent (250 2.0.0 Ok: queued)"));
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(what_another_server_has_taken_is_marked_at_once)
{
	struct queue_recipient rcpts[] = { remote("x@example.com"), remote("busy@example.com"),
					   remote("x@example.net") };
	uint64_t id;

	w->courier_script = greylist;
	assert_int_equal(world_submit(w, "bob@example.org", rcpts, 3, &id), 0);
	world_sleep(w, 20);
	assert_int_equal(w->shipment_count, 3);
	world_restart(w);
	world_sleep(w, HOUR);
	for (size_t i = 3; i < w->shipment_count; i++)
		assert_string_equal(w->shipments[i].address, "busy@example.com");
	assert_true(w->shipment_count > 3);
}

IN_WORLD(a_mark_shares_the_sync_of_the_next_message)
{
	unsigned syncs;

	assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
	world_sleep(w, 500);
	syncs = disk_syncs();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
		world_sleep(w, 20);
	}
	assert_int_equal(w->shipment_count, 11);
	assert_int_equal(disk_syncs() - syncs, 10);
	/* And alone, when nothing comes. */
	world_sleep(w, 200);
	assert_int_equal(disk_syncs() - syncs, 11);
	assert_int_equal(world_messages(w), 0);
	world_restart(w);
	world_sleep(w, HOUR);
	assert_int_equal(w->shipment_count, 11);
}

IN_WORLD(recipients_with_one_next_hop_share_a_call)
{
	static struct queue_recipient rcpts[251];
	static char addresses[251][32];
	uint64_t id;

	for (size_t i = 0; i < 250; i++) {
		snprintf(addresses[i], sizeof(addresses[i]), "user%zu@example.com", i);
		rcpts[i] = remote(addresses[i]);
	}
	rcpts[250] = remote("x@example.net");
	assert_int_equal(world_submit(w, "bob@example.org", rcpts, 251, &id), 0);
	world_sleep(w, 100);
	assert_int_equal(w->shipment_count, 251);
	unsigned calls = 0;
	for (size_t i = 0; i < w->shipment_count; i++) {
		assert_in_range(w->shipments[i].count, 1, 100);
		calls += w->shipments[i].position == 0;
	}
	assert_int_equal(calls, 4);
	assert_int_equal(world_messages(w), 0);
}

static int submit_file(struct world *w, uint64_t id, int envelope, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct queue_submit_in in = { .id = id,
				      .envelope = envelope,
				      .envelope_size = size,
				      .head = STR("Received: by the test\r\nSubject: \r\n"),
				      .body = -1 };
	struct queue_submit_out out;
	struct err err = { 0 };

	return queue_submit(w->front, &in, &a, &out, &err);
}

IN_WORLD(a_large_envelope_comes_in_a_file)
{
	enum {
		COUNT = 2000
	};
	auto_arena struct arena a = ARENA_INIT;
	auto_close int fd = memfd_create("envelope", MFD_CLOEXEC);
	struct envelope e = { .sender = STR("bob@example.org"), .recipient_count = COUNT };
	struct buf bytes;
	char local[200];

	memset(local, 'x', sizeof(local));
	e.recipients = ARENA_NEW_ARRAY(&a, struct envelope_recipient, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		e.recipients[i].kind = ENVELOPE_REMOTE;
		e.recipients[i].address =
			arena_printf(&a, "%zu%.*s@example.com", i, (int)sizeof(local) / 2, local);
		e.recipients[i].original = e.recipients[i].address;
	}
	buf_init(&bytes, &a, ENVELOPE_SIZE_MAX);
	envelope_write(&e, &bytes);
	assert_true(bytes.n > 256 * 1024);
	assert_int_equal(fd_write_all(fd, buf_str(&bytes), NULL), 0);
	assert_int_equal(submit_file(w, world_id(w), fd, bytes.n), 0);
	world_sleep(w, 1000);
	assert_int_equal(w->shipment_count, COUNT);
	assert_string_equal(w->shipments[0].sender, "bob@example.org");
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(a_file_that_is_no_envelope_is_refused)
{
	auto_close int fd = memfd_create("envelope", MFD_CLOEXEC);
	int pipes[2];

	assert_int_equal(ftruncate(fd, 5000), 0);
	assert_int_equal(submit_file(w, world_id(w), fd, 5000), -EINVAL);
	assert_int_equal(submit_file(w, world_id(w), fd, 5001), -EINVAL);
	assert_int_equal(submit_file(w, world_id(w), fd, UINT64_MAX), -E2BIG);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(submit_file(w, world_id(w), pipes[0], 10), -EINVAL);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(a_senders_relay_comes_before_the_default)
{
	w->relay = STR("[smtp.relay.example]:587");
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
	assert_int_equal(world_send_remote(w, "bob@example.org", "y@example.net"), 0);
	world_sleep(w, 100);
	assert_int_equal(w->shipment_count, 2);
	assert_int_equal(w->relay_questions, 1);
	assert_string_equal(w->shipments[0].nexthop, "[smtp.relay.example]:587");
	assert_string_equal(w->shipments[1].nexthop, "[smtp.relay.example]:587");
	/* Reports have no sender and no relay. */
	assert_int_equal(world_send_remote(w, "", "z@example.net"), 0);
	world_sleep(w, 5000);
	assert_string_equal(last_shipment(w)->nexthop, "example.net");

	w->relay = STR_NONE;
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
	world_sleep(w, 100);
	assert_string_equal(last_shipment(w)->nexthop, "example.com");
}

IN_WORLD(a_default_relay_gets_everything_and_an_agent_the_mailboxes)
{
	world_kill(w);
	w->config.default_relay = STR("Relay.example:2525");
	w->config.agent = STR("lmtp:inet:kopano:2003");
	world_start(w);
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
	world_sleep(w, 100);
	assert_string_equal(last_shipment(w)->nexthop, "relay.example:2525");
	assert_int_equal(world_send(w, "bob@example.org", "alice@example.org"), 0);
	world_sleep(w, 100);
	assert_string_equal(last_shipment(w)->nexthop, "lmtp:kopano:2003");
	assert_int_equal(w->delivery_count, 0);
}

IN_WORLD(a_relay_that_makes_no_sense_holds_the_mail_back)
{
	w->relay = STR("[smtp.relay.example");
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
	world_sleep(w, 100);
	assert_int_equal(w->shipment_count, 0);
	assert_true(world_log_has(w, "relay of <bob@example.org>"));
	w->relay = STR("[smtp.relay.example]");
	world_sleep(w, MINUTE);
	assert_int_equal(w->shipment_count, 1);
}

IN_WORLD(an_auth_that_hangs_holds_up_only_what_needs_it)
{
	char sender[64];

	w->relay = STR("[smtp.relay.example]:587");
	w->relay_slow_ms = HOUR;
	for (int i = 0; i < 20; i++) {
		snprintf(sender, sizeof(sender), "user%d@example.org", i);
		assert_int_equal(world_send_remote(w, sender, "x@example.com"), 0);
	}
	assert_int_equal(world_send(w, "bob@example.org", "alice@example.org"), 0);
	world_sleep(w, 2000);
	assert_int_equal(w->delivery_count, 1);
	for (int i = 0; i < 60; i++) {
		assert_int_equal(world_send(w, "bob@example.org", "alice@example.org"), 0);
		world_sleep(w, 1000);
	}
	world_sleep(w, 2000);
	assert_int_equal(w->delivery_count, 61);
	assert_in_range(w->relay_questions, 2, 8);
	assert_int_equal(w->shipment_count, 0);
	assert_true(world_log_has(w, "auth has not answered lately"));

	w->relay_slow_ms = 0;
	world_sleep(w, 5 * MINUTE);
	assert_int_equal(w->shipment_count, 20);
	assert_string_equal(last_shipment(w)->nexthop, "[smtp.relay.example]:587");
}

IN_WORLD(pauses_grow_from_five_minutes_to_an_hour)
{
	static const int64_t pauses[] = { 300, 600, 1200, 2400, 4000, 4000 };

	w->courier_script = greylist;
	assert_int_equal(world_send_remote(w, "bob@example.org", "busy@example.com"), 0);
	world_sleep(w, 5 * HOUR);
	assert_true(w->shipment_count > ARRAY_LEN(pauses));
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++)
		assert_in_range(w->shipments[i + 1].at - w->shipments[i].at, pauses[i] * 900 - 1,
				pauses[i] * 1100 + 1);
	assert_true(world_log_has(w, "dsn=4.2.0, status=deferred (host said: 450 4.2.0"));
}

IN_WORLD(the_next_attempt_survives_a_restart)
{
	w->courier_script = greylist;
	assert_int_equal(world_send_remote(w, "bob@example.org", "busy@example.com"), 0);
	world_sleep(w, 50 * MINUTE);
	size_t before = w->shipment_count;
	assert_in_range(before, 3, 4);
	int64_t last = last_shipment(w)->at;
	world_restart(w);
	world_sleep(w, 5 * MINUTE);
	assert_int_equal(w->shipment_count, before);
	world_sleep(w, 3 * HOUR);
	assert_true(w->shipment_count > before + 1);
	assert_in_range(w->shipments[before].at - last, 1200 * 900, 4000 * 1100);
	assert_in_range(w->shipments[before + 1].at - w->shipments[before].at, 2400 * 900,
			4000 * 1100);
}

/* Mail that comes and goes makes the segments die behind the message that stays. */
IN_WORLD(the_next_attempt_survives_that_the_message_is_moved)
{
	world_kill(w);
	w->config.segment_size = 64 << 10;
	world_start(w);
	w->courier_script = greylist;
	assert_int_equal(world_send_remote(w, "bob@example.org", "busy@example.com"), 0);
	world_sleep(w, 50 * MINUTE);
	size_t before = w->shipment_count;
	for (int i = 0; i < 2000; i++)
		assert_int_equal(world_send(w, "bob@example.org", "alice@example.org"), 0);
	world_sleep(w, 10000);
	assert_int_equal(world_messages(w), 1);
	assert_int_equal(w->shipment_count, before);
	world_restart(w);
	world_sleep(w, MINUTE);
	assert_int_equal(w->shipment_count, before);
	world_sleep(w, 70 * MINUTE);
	assert_true(w->shipment_count > before);
}

IN_WORLD(a_refused_recipient_is_reported_to_the_sender_here)
{
	w->courier_script = refuse;
	assert_int_equal(world_send_remote(w, "bob@example.org", "nobody@example.com"), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->shipment_count, 1);
	assert_int_equal(w->delivery_count, 1);
	assert_string_equal(w->deliveries[0].address, "bob@example.org");
	assert_non_null(strstr(w->deliveries[0].content, "550 5.1.1 unknown user"));
	assert_true(world_log_has(w, "status=bounced (host said: 550"));
	assert_int_equal(world_messages(w), 0);
}

static void let_courier_die(struct world *w)
{
	world_sleep(w, 50);
	world_detach_courier(w);
	world_sleep(w, 2000);
	world_attach_courier(w);
}

IN_WORLD(what_a_courier_did_not_answer_is_tried_again_when_it_is_back)
{
	struct queue_recipient rcpts[] = { remote("x@example.com"), remote("y@example.com") };
	uint64_t id;

	w->courier_slow = slowly;
	assert_int_equal(world_submit(w, "bob@example.org", rcpts, 2, &id), 0);
	let_courier_die(w);
	world_sleep(w, 1000);
	assert_int_equal(w->shipment_count, 4);
	assert_int_equal(w->shipments[2].count, 2);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(a_message_that_kills_the_courier_does_so_three_times)
{
	w->courier_slow = slowly;
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
	for (int i = 0; i < 3; i++)
		let_courier_die(w);
	world_sleep(w, 4 * MINUTE);
	assert_int_equal(w->shipment_count, 3);
	assert_true(world_log_has(w, "status=deferred (courier: the connection was lost)"));
	world_sleep(w, 2 * MINUTE);
	assert_int_equal(w->shipment_count, 4);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(what_was_not_answered_is_put_off_while_the_courier_stays_away)
{
	w->courier_slow = slowly;
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
	world_sleep(w, 50);
	world_detach_courier(w);
	world_sleep(w, 2 * MINUTE);
	assert_true(world_log_has(w, "suspended: the courier is not running"));
	world_attach_courier(w);
	world_sleep(w, 1000);
	assert_int_equal(w->shipment_count, 2);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(mail_waits_for_a_courier_that_is_away)
{
	world_detach_courier(w);
	world_sleep(w, 10);
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
	assert_int_equal(world_send(w, "bob@example.org", "alice@example.org"), 0);
	world_sleep(w, MINUTE);
	assert_int_equal(w->shipment_count, 0);
	assert_int_equal(w->delivery_count, 1);
	world_attach_courier(w);
	world_sleep(w, 100);
	assert_int_equal(w->shipment_count, 1);
}

IN_WORLD(mail_makes_place_while_the_courier_stays_away)
{
	char address[64];

	world_kill(w);
	w->config.active_max = 10;
	world_start(w);
	world_detach_courier(w);
	world_sleep(w, 10);
	for (int i = 0; i < 100; i++) {
		snprintf(address, sizeof(address), "x@example%d.com", i);
		assert_int_equal(world_send_remote(w, address, address), 0);
	}
	world_sleep(w, 2 * MINUTE);
	assert_int_equal(world_send(w, "bob@example.org", "alice@example.org"), 0);
	world_sleep(w, 100);
	assert_int_equal(w->delivery_count, 1);
	assert_true(world_log_has(w, "suspended: the courier is not running"));
	world_attach_courier(w);
	world_sleep(w, 1000);
	assert_int_equal(w->shipment_count, 100);
}

IN_WORLD(draining_does_not_wait_for_a_server_that_lets_us_wait)
{
	w->courier_slow = slowly;
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@dead.example"), 0);
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@live.example"), 0);
	world_sleep(w, 10);
	int64_t before = loop_now();
	assert_int_equal(world_drain(w), 0);
	assert_in_range(loop_now() - before, 4000, 6000);
	w->courier_slow = NULL;
	world_start(w);
	world_sleep(w, MINUTE);
	assert_int_equal(w->shipment_count, 3);
	assert_string_equal(last_shipment(w)->nexthop, "dead.example");
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(an_account_does_not_take_all_active_places)
{
	char sender[64];

	world_kill(w);
	w->config.active_max = 100;
	world_start(w);
	w->slow_ms = 60000;
	for (int i = 0; i < 1000; i++) {
		snprintf(sender, sizeof(sender), "user%d@example.net", i);
		assert_int_equal(world_send(w, sender, "alice@example.org"), 0);
	}
	world_sleep(w, 1000);
	assert_int_equal(w->delivery_count, 1);
	assert_int_equal(world_send(w, "bob@example.net", "carol@example.org"), 0);
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
	world_sleep(w, 1000);
	assert_int_equal(w->delivery_count, 2);
	assert_int_equal(w->shipment_count, 1);

	w->slow_ms = 1;
	world_sleep(w, 10 * MINUTE);
	assert_int_equal(w->delivery_count, 1001);
	for (size_t i = 0, n = 0; i < w->delivery_count; i++) {
		if (strcmp(w->deliveries[i].account, "alice@example.org") != 0)
			continue;
		snprintf(sender, sizeof(sender), "user%zu@example.net", n++);
		assert_string_equal(w->deliveries[i].sender, sender);
	}
}

IN_WORLD(a_destination_gets_five_calls_and_more_when_they_go_well)
{
	w->courier_slow = slowly;
	for (int i = 0; i < 400; i++)
		assert_int_equal(world_send_remote(w, "bob@example.org", "x@example.com"), 0);
	world_sleep(w, 80);
	assert_int_equal(w->calls, 5);
	world_sleep(w, 5000);
	assert_in_range(w->calls_max, 15, 20);
	assert_int_equal(w->shipment_count, 400);
}

IN_WORLD(a_dead_destination_is_left_alone)
{
	w->courier_script = unreachable;
	for (int i = 0; i < 200; i++)
		assert_int_equal(world_send_remote(w, "bob@example.org", "x@dead.example"), 0);
	world_sleep(w, 100);
	assert_in_range(w->shipment_count, 1, 5);
	assert_true(world_log_has(w, "delivery temporarily suspended: "));
	assert_int_equal(world_messages(w), 200);
	world_sleep(w, HOUR);
	/* 300 s, 600 s, 1200 s: each time one call looks, and no more than that. */
	assert_in_range(w->shipment_count, 3, 12);

	w->courier_script = NULL;
	world_sleep(w, 3 * HOUR);
	assert_int_equal(world_messages(w), 0);
}

static int64_t busy_until;

static int busy(struct world *w, const struct courier_deliver_in *in,
		const struct courier_recipient *r, struct courier_deliver_out *out)
{
	(void)r;
	if (!str_starts(in->nexthop, STR("busy")) || loop_now() - w->began >= busy_until)
		return COURIER_DELIVERED;
	out->trouble = COURIER_BUSY;
	return COURIER_TRY_AGAIN;
}

IN_WORLD(a_busy_server_is_asked_again_soon_and_then_as_usual)
{
	static const int64_t pauses[] = { 5, 10, 20, 40, 80, 160, 300, 600, 1200 };

	w->courier_script = busy;
	busy_until = 2 * HOUR;
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@busy.example"), 0);
	world_sleep(w, HOUR);
	assert_int_equal(w->shipment_count, ARRAY_LEN(pauses) + 1);
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++)
		assert_in_range(w->shipments[i + 1].at - w->shipments[i].at, pauses[i] * 900 - 1,
				pauses[i] * 1100 + 1);
}

IN_WORLD(many_messages_do_not_besiege_a_busy_server)
{
	w->courier_script = busy;
	busy_until = MINUTE;
	for (int i = 0; i < 200; i++)
		assert_int_equal(world_send_remote(w, "bob@example.org", "x@busy.example"), 0);
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@live.example"), 0);
	world_sleep(w, MINUTE);
	assert_in_range(w->shipment_count, 5, 30);
	assert_int_equal(world_messages(w), 200);
	assert_true(world_log_has(w, "delivery temporarily suspended: "));
	world_sleep(w, 2 * MINUTE);
	assert_int_equal(world_messages(w), 0);
}

/* Another host of the destination has taken it. */
static int busy_but_sent(struct world *w, const struct courier_deliver_in *in,
			 const struct courier_recipient *r, struct courier_deliver_out *out)
{
	(void)w, (void)in, (void)r;
	out->trouble = COURIER_BUSY;
	return COURIER_DELIVERED;
}

IN_WORLD(a_busy_host_does_not_stop_mail_that_another_takes)
{
	w->courier_script = busy_but_sent;
	for (int i = 0; i < 200; i++)
		assert_int_equal(world_send_remote(w, "bob@example.org", "x@busy.example"), 0);
	world_sleep(w, 1000);
	assert_int_equal(world_messages(w), 0);
}

static int busy_or_dead(struct world *w, const struct courier_deliver_in *in,
			const struct courier_recipient *r, struct courier_deliver_out *out)
{
	return str_starts(in->nexthop, STR("busy")) ? busy(w, in, r, out)
						    : unreachable(w, in, r, out);
}

IN_WORLD(a_recipient_with_another_trouble_waits_as_usual)
{
	struct queue_recipient rcpts[] = { remote("x@busy.example"), remote("x@dead.example") };
	uint64_t id;

	w->courier_script = busy_or_dead;
	busy_until = HOUR;
	assert_int_equal(world_submit(w, "bob@example.org", rcpts, 2, &id), 0);
	world_sleep(w, 4 * MINUTE);
	assert_int_equal(w->shipment_count, 2);
	world_sleep(w, 2 * MINUTE);
	assert_true(w->shipment_count > 2);
}

IN_WORLD(the_dead_cost_the_living_nothing)
{
	char address[64];

	w->courier_script = unreachable;
	w->courier_slow = slowly;
	for (int i = 0; i < 2000; i++) {
		snprintf(address, sizeof(address), "x@dead%d.example", i % 100);
		assert_int_equal(world_send_remote(w, "bob@example.org", address), 0);
	}
	world_sleep(w, 1000);
	size_t dead = w->shipment_count;
	assert_in_range(dead, 100, 400);
	for (int i = 0; i < 500; i++) {
		snprintf(address, sizeof(address), "x@live%d.example", i % 100);
		assert_int_equal(world_send_remote(w, "bob@example.org", address), 0);
	}
	world_sleep(w, 3000);
	assert_int_equal(w->shipment_count - dead, 500);
}

IN_WORLD(a_mailing_does_not_delay_a_password_reset)
{
	char address[64];

	world_kill(w);
	w->config.active_max = 1000;
	world_start(w);
	w->courier_slow = slowly;
	for (int i = 0; i < 5000; i++) {
		snprintf(address, sizeof(address), "user%d@example%d.com", i, i % 2);
		assert_int_equal(world_send_remote(w, "news@example.org", address), 0);
	}
	size_t before = w->shipment_count;
	assert_int_equal(world_send_remote(w, "reset@example.org", "bob@example1.com"), 0);
	world_sleep(w, 300);
	bool found = false;
	for (size_t i = before; i < w->shipment_count; i++)
		found |= strcmp(w->shipments[i].sender, "reset@example.org") == 0;
	assert_true(found);
	assert_true(w->shipment_count < 4000);
	world_sleep(w, 10 * MINUTE);
	assert_int_equal(w->shipment_count, 5001);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(a_destination_does_not_take_all_active_places)
{
	char sender[64];

	world_kill(w);
	w->config.active_max = 100;
	world_start(w);
	w->courier_slow = slowly;
	w->courier_script = unreachable;
	for (int i = 0; i < 1000; i++) {
		snprintf(sender, sizeof(sender), "user%d@example.org", i);
		assert_int_equal(world_send_remote(w, sender, "x@dead.example"), 0);
	}
	world_sleep(w, 1000);
	assert_int_equal(world_send_remote(w, "bob@example.org", "x@live.example"), 0);
	assert_int_equal(world_send(w, "bob@example.org", "alice@example.org"), 0);
	world_sleep(w, 200);
	assert_string_equal(last_shipment(w)->nexthop, "live.example");
	assert_int_equal(w->delivery_count, 1);
	w->courier_script = NULL;
	world_sleep(w, 12 * HOUR);
	assert_int_equal(world_messages(w), 0);
}

/* Sometimes this, sometimes that. */
static int moody(struct world *w, const struct courier_deliver_in *in,
		 const struct courier_recipient *r, struct courier_deliver_out *out)
{
	static const int results[] = { COURIER_DELIVERED, COURIER_DELIVERED, COURIER_DELIVERED,
				       COURIER_TRY_AGAIN, -EIO };
	(void)w, (void)in, (void)r;

	out->trouble = (uint8_t)(rand() % 3);
	return results[rand() % (int)ARRAY_LEN(results)];
}

static int64_t moodily(struct world *w, const struct courier_deliver_in *in)
{
	(void)w, (void)in;
	return rand() % 2000;
}

IN_WORLD(whatever_happens_every_recipient_is_sent_to)
{
	static bool seen[8 * 60 * 3];
	char text[3][64];
	uint64_t id;

	world_kill(w);
	w->config.segment_size = 64 << 10;
	w->config.active_max = 30;
	world_start(w);
	w->courier_script = moody;
	w->courier_slow = moodily;
	memset(seen, 0, sizeof(seen));
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < 60; i++) {
			struct queue_recipient rcpts[3];
			for (int n = 0; n < 3; n++) {
				snprintf(text[n], sizeof(text[n]), "u%d@example%d.com",
					 (round * 60 + i) * 3 + n, rand() % 20);
				rcpts[n] = remote(text[n]);
			}
			assert_int_equal(world_submit(w, "bob@example.org", rcpts, 3, &id), 0);
		}
		world_sleep(w, rand() % 4000);
		if (round % 3 == 1)
			world_restart(w);
		if (round % 3 == 2)
			world_detach_courier(w);
		world_sleep(w, rand() % 400);
		if (round % 3 == 2)
			world_attach_courier(w);
	}
	world_sleep(w, HOUR);
	w->courier_script = NULL;
	world_sleep(w, 12 * HOUR);
	assert_int_equal(world_messages(w), 0);
	for (size_t i = 0; i < w->shipment_count; i++)
		seen[strtoul(w->shipments[i].address + 1, NULL, 10)] = true;
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		assert_true(seen[i]);
}

/* One after the other, less than the patience of a mark apart. */
static int64_t in_turn(struct world *w, const struct courier_deliver_in *in)
{
	(void)in;
	return 50 * (int64_t)w->calls;
}

IN_WORLD(marks_become_durable_though_more_of_them_keep_coming)
{
	char domain[32];

	w->courier_slow = in_turn;
	for (unsigned i = 0; i < 40; i++) {
		snprintf(domain, sizeof(domain), "x@d%u.example", i);
		assert_int_equal(world_send_remote(w, "a@example.org", domain), 0);
	}
	unsigned syncs = disk_syncs();
	world_sleep(w, 1500);
	assert_in_range(disk_syncs() - syncs, 5, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(a_remote_message_goes_to_the_domains_next_hop),
		fiber_test(what_another_server_has_taken_is_marked_at_once),
		fiber_test(a_mark_shares_the_sync_of_the_next_message),
		fiber_test(marks_become_durable_though_more_of_them_keep_coming),
		fiber_test(recipients_with_one_next_hop_share_a_call),
		fiber_test(a_large_envelope_comes_in_a_file),
		fiber_test(a_file_that_is_no_envelope_is_refused),
		fiber_test(a_senders_relay_comes_before_the_default),
		fiber_test(a_default_relay_gets_everything_and_an_agent_the_mailboxes),
		fiber_test(a_relay_that_makes_no_sense_holds_the_mail_back),
		fiber_test(an_auth_that_hangs_holds_up_only_what_needs_it),
		fiber_test(pauses_grow_from_five_minutes_to_an_hour),
		fiber_test(the_next_attempt_survives_a_restart),
		fiber_test(the_next_attempt_survives_that_the_message_is_moved),
		fiber_test(a_refused_recipient_is_reported_to_the_sender_here),
		fiber_test(what_a_courier_did_not_answer_is_tried_again_when_it_is_back),
		fiber_test(a_message_that_kills_the_courier_does_so_three_times),
		fiber_test(what_was_not_answered_is_put_off_while_the_courier_stays_away),
		fiber_test(mail_waits_for_a_courier_that_is_away),
		fiber_test(mail_makes_place_while_the_courier_stays_away),
		fiber_test(draining_does_not_wait_for_a_server_that_lets_us_wait),
		fiber_test(an_account_does_not_take_all_active_places),
		fiber_test(a_destination_gets_five_calls_and_more_when_they_go_well),
		fiber_test(a_dead_destination_is_left_alone),
		fiber_test(a_busy_server_is_asked_again_soon_and_then_as_usual),
		fiber_test(many_messages_do_not_besiege_a_busy_server),
		fiber_test(a_busy_host_does_not_stop_mail_that_another_takes),
		fiber_test(a_recipient_with_another_trouble_waits_as_usual),
		fiber_test(the_dead_cost_the_living_nothing),
		fiber_test(a_mailing_does_not_delay_a_password_reset),
		fiber_test(a_destination_does_not_take_all_active_places),
		fiber_test(whatever_happens_every_recipient_is_sent_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
