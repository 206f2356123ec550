#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "disk.h"
#include "queue/journal.h"
#include "queue/queue_id.h"

#define DAY ((int64_t)24 * 3600 * 1000)

IN_WORLD(a_message_is_delivered_and_forgotten)
{
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	world_sleep(w, 100);
	assert_int_equal(w->delivery_count, 1);
	assert_string_equal(w->deliveries[0].address, "alice@example.org");
	assert_string_equal(w->deliveries[0].sender, "bob@example.net");
	assert_false(w->deliveries[0].replay);
	assert_non_null(strstr(w->deliveries[0].content, "Received: by the test\r\nSubject: "));
	assert_true(world_log_has(w, "from=<bob@example.net>, size=81, nrcpt=1 (queue active)"));
	assert_true(world_log_has(w, "to=<alice@example.org>, relay=mailbox, delay=0.00, "
				     "dsn=2.0.0, status=sent (delivered to INBOX)"));
	world_sleep(w, 5000);
	assert_true(world_log_has(w, ": removed"));
	assert_int_equal(world_messages(w), 0);

	world_restart(w);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 1);
}

IN_WORLD(what_no_checkpoint_covered_is_delivered_again)
{
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	world_sleep(w, 100);
	assert_int_equal(w->delivery_count, 1);
	world_restart(w);
	world_sleep(w, 100);
	assert_int_equal(w->delivery_count, 2);
	assert_true(w->deliveries[1].replay);
	assert_true(w->deliveries[1].id == w->deliveries[0].id);
	assert_string_equal(w->deliveries[1].content, w->deliveries[0].content);
}

IN_WORLD(a_temporary_failure_is_tried_again_with_growing_pauses)
{
	w->script = world_defer;
	assert_int_equal(world_send(w, "bob@example.net", "busy@example.org"), 0);
	world_sleep(w, 4000 * 1000);
	assert_int_equal(w->delivery_count, 9);
	static const int64_t pauses[] = { 10000, 20000, 40000, 80000, 160000 };
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++)
		assert_in_range(w->deliveries[i + 1].at - w->deliveries[i].at,
				pauses[i] / 10 * 9 - 1, pauses[i] / 10 * 11 + 1);
	assert_true(world_log_has(w, "dsn=4.2.2, status=deferred (mailbox is full)"));

	w->script = NULL;
	world_sleep(w, 4000 * 1000);
	assert_int_equal(w->delivery_count, 10);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(mail_too_old_is_returned)
{
	w->script = world_defer;
	assert_int_equal(world_send(w, "bob@example.org", "busy@example.org"), 0);
	world_sleep(w, 5 * DAY);
	assert_int_equal(world_messages(w), 1);
	world_sleep(w, 4400 * 1000);
	assert_int_equal(world_messages(w), 0);
	assert_string_equal(w->deliveries[w->delivery_count - 1].address, "bob@example.org");
}

IN_WORLD(accounts_are_served_side_by_side_each_in_order)
{
	static const char *const to[] = { "a@example.org", "b@example.org", "c@example.org" };
	uint64_t last[ARRAY_LEN(to)] = { 0 };

	w->slow_ms = 50;
	for (int i = 0; i < 60; i++)
		assert_int_equal(world_send(w, "bob@example.net", to[i % 3]), 0);
	world_sleep(w, 10000);
	assert_int_equal(w->delivery_count, 60);
	assert_false(w->overlap);
	assert_int_equal(w->in_flight_max, 3);
	for (size_t i = 0; i < w->delivery_count; i++) {
		const struct world_delivery *d = &w->deliveries[i];
		uint64_t *at = &last[d->account[0] - 'a'];
		assert_true(d->id > *at);
		*at = d->id;
		assert_int_equal(d->worker, mailbox_worker(str_from(d->account), WORLD_WORKERS));
	}
}

IN_WORLD(one_worker_gets_only_so_many_calls)
{
	w->slow_ms = 50;
	for (int i = 0; i < 200; i++) {
		char address[64];
		snprintf(address, sizeof(address), "user%d@example.org", i);
		assert_int_equal(world_send(w, "bob@example.net", address), 0);
	}
	world_sleep(w, 10000);
	assert_int_equal(w->delivery_count, 200);
	assert_int_equal(w->in_flight_max, 2 * 8);
}

IN_WORLD(a_refused_message_is_returned_to_its_sender)
{
	w->script = world_refuse;
	assert_int_equal(world_send(w, "bob@example.org", "full@example.org"), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 2);
	const struct world_delivery *d = &w->deliveries[1];
	assert_string_equal(d->address, "bob@example.org");
	assert_string_equal(d->sender, "");
	assert_non_null(strstr(d->content, "\r\nTo: bob@example.org\r\n"));
	assert_non_null(strstr(d->content, "Final-Recipient: rfc822; full@example.org\r\n"));
	assert_non_null(strstr(d->content, "Status: 5.2.2\r\n"));
	assert_non_null(strstr(d->content, "This is message "));
	assert_true(world_log_has(w, "status=bounced (mailbox is full)"));
	assert_true(world_log_has(w, ": sender non-delivery notification: "));
	assert_int_equal(world_messages(w), 0);

	world_restart(w);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 2);
}

IN_WORLD(a_report_that_is_refused_is_the_end)
{
	w->script = world_refuse;
	assert_int_equal(world_send(w, "", "full@example.org"), 0);
	assert_int_equal(world_send(w, "full2@example.org", "full@example.org"), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 3);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(no_report_where_the_sender_wants_none)
{
	struct queue_recipient rcpt = { .address = STR("full@example.org"),
					.kind = ENVELOPE_MAILBOX,
					.notify = ENVELOPE_NOTIFY_NEVER };
	uint64_t id;

	w->script = world_refuse;
	assert_int_equal(world_submit(w, "bob@example.org", &rcpt, 1, &id), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 1);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(success_is_reported_on_request)
{
	struct queue_recipient rcpt = { .address = STR("alice@example.org"),
					.kind = ENVELOPE_MAILBOX,
					.notify = ENVELOPE_NOTIFY_SUCCESS };
	uint64_t id;

	assert_int_equal(world_submit(w, "bob@example.org", &rcpt, 1, &id), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 2);
	assert_non_null(strstr(w->deliveries[1].content, "Action: delivered\r\n"));
	assert_null(strstr(w->deliveries[1].content, "This is message "));
}

IN_WORLD(a_report_to_another_server_is_sent_there)
{
	w->script = world_refuse;
	assert_int_equal(world_send(w, "bob@example.net", "full@example.org"), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->shipment_count, 1);
	assert_string_equal(w->shipments[0].nexthop, "example.net");
	assert_string_equal(w->shipments[0].sender, "");
	assert_non_null(
		strstr(w->shipments[0].content, "Final-Recipient: rfc822; full@example.org"));
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(the_report_waits_for_auth)
{
	w->script = world_refuse;
	w->resolve_result = -EIO;
	assert_int_equal(world_send(w, "bob@example.org", "full@example.org"), 0);
	world_sleep(w, 5000);
	assert_int_equal(world_messages(w), 1);
	w->resolve_result = 0;
	world_sleep(w, 400 * 1000);
	assert_int_equal(world_messages(w), 0);
	assert_string_equal(w->deliveries[w->delivery_count - 1].address, "bob@example.org");
}

IN_WORLD(discarded_mail_is_finished)
{
	struct queue_recipient rcpts[] = {
		{ .address = STR("nobody@example.org"), .kind = ENVELOPE_DISCARD },
	};
	uint64_t id;

	assert_int_equal(world_submit(w, "bob@example.net", rcpts, 1, &id), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 0);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(deliveries_to_one_account_are_numbered)
{
	struct queue_recipient rcpts[] = {
		{ .address = STR("a+x@example.org"), .account = STR("a@example.org") },
		{ .address = STR("b@example.org") },
		{ .address = STR("a@example.org") },
		{ .address = STR("a+y@example.org"), .account = STR("a@example.org") },
	};
	uint64_t id;

	assert_int_equal(world_submit(w, "bob@example.net", rcpts, 4, &id), 0);
	world_sleep(w, 1000);
	assert_int_equal(w->delivery_count, 4);
	assert_false(w->overlap);
	for (size_t i = 0; i < 4; i++) {
		const struct world_delivery *d = &w->deliveries[i];
		unsigned part = strcmp(d->address, "a@example.org") == 0     ? 1
				: strcmp(d->address, "a+y@example.org") == 0 ? 2
									     : 0;
		assert_int_equal(d->part, part);
	}
}

IN_WORLD(finished_recipients_are_not_tried_again)
{
	struct queue_recipient rcpts[] = {
		{ .address = STR("alice@example.org"), .kind = ENVELOPE_MAILBOX },
		{ .address = STR("busy@example.org"), .kind = ENVELOPE_MAILBOX },
	};
	uint64_t id;

	w->script = world_defer;
	assert_int_equal(world_submit(w, "bob@example.net", rcpts, 2, &id), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 2);
	world_restart(w);
	world_sleep(w, 15000);
	assert_int_equal(w->delivery_count, 3);
	assert_string_equal(w->deliveries[2].address, "busy@example.org");
}

IN_WORLD(a_worker_that_dies_gets_its_mail_again)
{
	char account[64] = "";

	for (int i = 0; !account[0]; i++) {
		snprintf(account, sizeof(account), "user%d@example.org", i);
		if (mailbox_worker(str_from(account), WORLD_WORKERS) != 1)
			account[0] = '\0';
	}
	w->slow_ms = 1000;
	assert_int_equal(world_send(w, "bob@example.net", account), 0);
	world_sleep(w, 100);
	world_detach(w, 1);
	w->slow_ms = 0;
	world_sleep(w, 3000);
	world_attach(w, 1);
	world_sleep(w, 10);
	assert_int_equal(w->delivery_count, 2);
	assert_true(w->deliveries[1].replay);
	world_sleep(w, 5000);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(a_worker_that_stays_away_blocks_nobody)
{
	world_detach(w, 1);
	w->config.active_max = 4;
	for (int i = 0; i < 50; i++) {
		char address[64];
		snprintf(address, sizeof(address), "user%d@example.org", i);
		assert_int_equal(world_send(w, "bob@example.net", address), 0);
	}
	world_sleep(w, 125 * 1000);
	size_t mine = w->delivery_count;
	assert_in_range(mine, 10, 40);
	assert_int_equal(world_messages(w), 50 - mine);
	assert_true(world_log_has(w, "status=deferred (the mailbox process is not running)"));

	world_attach(w, 1);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 50);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(an_answer_that_is_lost_again_and_again_is_put_off)
{
	w->slow_ms = 1000;
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	unsigned worker = mailbox_worker(STR("alice@example.org"), WORLD_WORKERS);
	for (int i = 0; i < 5; i++) {
		world_sleep(w, 100);
		world_detach(w, worker);
		world_sleep(w, 100);
		world_attach(w, worker);
	}
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 3);
	assert_int_equal(world_messages(w), 1);
	world_sleep(w, 400 * 1000);
	assert_int_equal(w->delivery_count, 4);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(a_checkpoint_that_fails_repeats_its_deliveries)
{
	w->checkpoint_result = -EIO;
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 1);
	assert_int_equal(world_messages(w), 1);
	w->checkpoint_result = 0;
	world_sleep(w, 400 * 1000);
	assert_int_equal(w->delivery_count, 2);
	assert_true(w->deliveries[1].replay);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(draining_does_not_wait_for_a_worker_that_is_away)
{
	static const char *const to[] = { "a@example.org", "b@example.org", "c@example.org" };

	for (unsigned i = 0; i < WORLD_WORKERS; i++)
		world_detach(w, i);
	for (size_t i = 0; i < ARRAY_LEN(to); i++)
		assert_int_equal(world_send(w, "bob@example.net", to[i]), 0);
	world_sleep(w, 100);
	int64_t before = loop_now();
	(void)!queue_drain(w->queue, loop_deadline(10000));
	assert_in_range(loop_now() - before, 0, 100);
	world_restart(w);
	world_sleep(w, 100);
	assert_int_equal(w->delivery_count, ARRAY_LEN(to));
}

IN_WORLD(draining_finishes_what_is_in_flight_and_takes_no_more)
{
	w->slow_ms = 500;
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	world_sleep(w, 100);
	assert_int_equal(queue_drain(w->queue, loop_deadline(10000)), 0);
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), -EAGAIN);
	world_restart(w);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 1);
	assert_int_equal(world_messages(w), 0);
}

/* A worker that has delivered one message is replaced. */
static unsigned replace_after_delivery(struct world *w)
{
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	world_sleep(w, 100);
	assert_int_equal(w->delivery_count, 1);
	unsigned worker = mailbox_worker(STR("alice@example.org"), WORLD_WORKERS);
	world_detach(w, worker);
	world_sleep(w, 100);
	world_attach(w, worker);
	return worker;
}

IN_WORLD(a_new_worker_syncs_what_another_has_written)
{
	unsigned worker = replace_after_delivery(w);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 1);
	assert_int_equal(world_messages(w), 0);
	assert_string_equal(w->workers[worker].inherited, "alice@example.org");
}

IN_WORLD(a_worker_that_dies_in_a_checkpoint_leaves_it_to_the_next)
{
	w->checkpoint_slow_ms = 1000;
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	world_sleep(w, 2500);
	unsigned worker = mailbox_worker(STR("alice@example.org"), WORLD_WORKERS);
	assert_int_equal(w->workers[worker].checkpoints, 1);
	world_detach(w, worker);
	w->checkpoint_slow_ms = 0;
	world_attach(w, worker);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 1);
	assert_int_equal(world_messages(w), 0);
	assert_int_equal(w->workers[worker].checkpoints, 2);
	assert_string_equal(w->workers[worker].inherited, "alice@example.org");
}

/* syncfs(2): an error is told to whoever had the file system open then. */
IN_WORLD(a_failure_that_a_new_worker_cannot_know_of_repeats_deliveries)
{
	unsigned dead = mailbox_worker(STR("alice@example.org"), WORLD_WORKERS);
	char other[64] = "";
	for (int i = 0; !other[0]; i++) {
		snprintf(other, sizeof(other), "user%d@example.org", i);
		if (mailbox_worker(str_from(other), WORLD_WORKERS) == dead)
			other[0] = '\0';
	}
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	assert_int_equal(world_send(w, "bob@example.net", other), 0);
	world_sleep(w, 100);
	world_detach(w, dead);
	w->checkpoint_result = -EIO;
	world_sleep(w, 3000);
	w->checkpoint_result = 0;
	world_attach(w, dead);
	world_sleep(w, 400 * 1000);
	assert_int_equal(w->delivery_count, 4);
	assert_true(w->deliveries[2].replay && w->deliveries[3].replay);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(draining_waits_for_a_checkpoint_that_is_under_way)
{
	w->checkpoint_slow_ms = 1000;
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	world_sleep(w, 2500);
	assert_int_equal(w->delivery_count, 1);
	assert_int_equal(queue_drain(w->queue, loop_deadline(10000)), 0);
	world_restart(w);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 1);
	assert_int_equal(world_messages(w), 0);
}

/* A bad sector where the envelopes of the only segment are. */
static void spoil_envelopes(const struct world *w)
{
	char name[JOURNAL_NAME_MAX], path[256], junk[32];

	journal_segment_name(1, name);
	snprintf(path, sizeof(path), "%s/%s", w->config.dir, name);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	memset(junk, 'j', sizeof(junk));
	assert_int_equal(
		pwrite(fd, junk, sizeof(junk), JOURNAL_SEGMENT_START + JOURNAL_RECORD_HEADER),
		sizeof(junk));
}

IN_WORLD(a_message_that_is_given_up_has_no_delivery_that_waits)
{
	const struct queue_recipient to[] = {
		{ .address = STR("alice@example.org"), .kind = ENVELOPE_MAILBOX },
		{ .address = STR("busy@example.org"), .kind = ENVELOPE_MAILBOX },
	};
	uint64_t id;

	w->script = world_defer;
	w->checkpoint_slow_ms = 30000;
	assert_int_equal(world_submit(w, "bob@example.net", to, ARRAY_LEN(to), &id), 0);
	world_sleep(w, 5000);
	spoil_envelopes(w);
	world_sleep(w, 10000); /* the other recipient's next attempt */
	assert_int_equal(world_messages(w), 1);
	world_sleep(w, 200 * 1000);
	assert_int_equal(world_messages(w), 0);
	assert_true(world_log_has(w, "envelope"));
}

IN_WORLD(a_full_disk_is_the_clients_answer)
{
	int r = 0;

	disk_set_full(true);
	for (int i = 0; r == 0 && i < 10000; i++)
		r = world_send(w, "bob@example.net", "alice@example.org");
	assert_int_equal(r, -ENOSPC);
	size_t before = w->delivery_count;
	world_sleep(w, 10000);
	assert_int_equal(world_messages(w), 0);

	disk_set_full(false);
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	world_sleep(w, 5000);
	assert_true(w->delivery_count > before);
	assert_true(world_log_has(w, "No space left on device"));
}

IN_WORLD(errors_of_the_disk_are_temporary)
{
	disk_fail(1, 20, EIO);
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), -EIO);
	disk_mend();
	assert_int_equal(world_send(w, "bob@example.net", "alice@example.org"), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 1);
}

IN_WORLD(an_id_is_taken_once)
{
	struct queue_recipient rcpt = { .address = STR("busy@example.org") };
	uint64_t id;

	w->script = world_defer;
	assert_int_equal(world_submit(w, "", &rcpt, 1, &id), 0);
	w->next_id = id - 1;
	struct queue_submit_in in = {
		.id = id, .envelope = -1, .recipients = &rcpt, .recipients_count = 1
	};
	struct queue_submit_out out;
	auto_arena struct arena a = ARENA_INIT;
	struct err err = { 0 };
	in.body = dup(w->log_fd);
	assert_int_equal(queue_submit(w->front, &in, &a, &out, &err), -EEXIST);
	in.id++;
	in.recipients_count = 0;
	assert_int_equal(queue_submit(w->front, &in, &a, &out, &err), -EINVAL);
	close(in.body);
}

struct sender {
	struct world *w;
	int n;
	int failed;
};

static void send_many(void *arg)
{
	struct sender *s = arg;

	for (int i = 0; i < s->n; i++) {
		char address[64];
		snprintf(address, sizeof(address), "user%d@example.org", rand() % 40);
		s->failed += world_send(s->w, "bob@example.org", address) < 0;
	}
}

IN_WORLD(those_who_wait_share_a_sync)
{
	struct group g;
	static struct sender senders[50];

	group_init(&g);
	unsigned syncs = disk_syncs();
	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		senders[i] = (struct sender){ w, 10, 0 };
		assert_int_equal(fiber_spawn(&g, "sender", send_many, &senders[i]), 0);
	}
	assert_int_equal(group_join(&g, LOOP_FOREVER), 0);
	assert_in_range(disk_syncs() - syncs, 10, 50);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 500);
	assert_int_equal(world_messages(w), 0);
}

/* Sometimes delivered, sometimes not, sometimes nobody knows. */
static int moody(struct world *w, const struct mailbox_deliver_in *in)
{
	(void)w, (void)in;
	int r = rand() % 20;

	return r == 0 ? MAILBOX_TRY_AGAIN : r == 1 ? -EIO : MAILBOX_DELIVERED;
}

IN_WORLD(whatever_happens_everything_arrives)
{
	struct sender s = { w, 150, 0 };

	w->script = moody;
	world_kill(w);
	w->config.segment_size = 64 << 10;
	world_start(w);
	for (int round = 0; round < 8; round++) {
		send_many(&s);
		assert_int_equal(s.failed, 0);
		world_sleep(w, rand() % 4000);
		if (round % 3 == 1)
			world_restart(w);
		if (round % 3 == 2)
			world_detach(w, round % 2);
		world_sleep(w, rand() % 400);
		if (round % 3 == 2)
			world_attach(w, round % 2);
	}
	w->script = NULL;
	world_sleep(w, DAY);
	assert_int_equal(world_messages(w), 0);

	auto_arena struct arena a = ARENA_INIT;
	struct queue_status_in in = { 0 };
	struct queue_status_out out;
	struct err err;
	assert_int_equal(queue_status(w->front, &in, &a, &out, &err), 0);
	assert_in_range(out.segments, 1, 2);
	for (size_t i = 0; i < w->delivery_count; i++)
		assert_non_null(
			strstr(w->deliveries[i].content, queue_id_text(w->deliveries[i].id).c));
	world_kill(w);
	world_start(w);
	assert_int_equal(world_messages(w), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(a_message_is_delivered_and_forgotten),
		fiber_test(what_no_checkpoint_covered_is_delivered_again),
		fiber_test(a_temporary_failure_is_tried_again_with_growing_pauses),
		fiber_test(mail_too_old_is_returned),
		fiber_test(accounts_are_served_side_by_side_each_in_order),
		fiber_test(one_worker_gets_only_so_many_calls),
		fiber_test(a_refused_message_is_returned_to_its_sender),
		fiber_test(a_report_that_is_refused_is_the_end),
		fiber_test(no_report_where_the_sender_wants_none),
		fiber_test(success_is_reported_on_request),
		fiber_test(a_report_to_another_server_is_sent_there),
		fiber_test(the_report_waits_for_auth),
		fiber_test(discarded_mail_is_finished),
		fiber_test(deliveries_to_one_account_are_numbered),
		fiber_test(finished_recipients_are_not_tried_again),
		fiber_test(a_worker_that_dies_gets_its_mail_again),
		fiber_test(a_worker_that_stays_away_blocks_nobody),
		fiber_test(an_answer_that_is_lost_again_and_again_is_put_off),
		fiber_test(a_checkpoint_that_fails_repeats_its_deliveries),
		fiber_test(draining_does_not_wait_for_a_worker_that_is_away),
		fiber_test(draining_finishes_what_is_in_flight_and_takes_no_more),
		fiber_test(a_new_worker_syncs_what_another_has_written),
		fiber_test(a_worker_that_dies_in_a_checkpoint_leaves_it_to_the_next),
		fiber_test(a_failure_that_a_new_worker_cannot_know_of_repeats_deliveries),
		fiber_test(draining_waits_for_a_checkpoint_that_is_under_way),
		fiber_test(a_message_that_is_given_up_has_no_delivery_that_waits),
		fiber_test(a_full_disk_is_the_clients_answer),
		fiber_test(errors_of_the_disk_are_temporary),
		fiber_test(an_id_is_taken_once),
		fiber_test(those_who_wait_share_a_sync),
		fiber_test(whatever_happens_everything_arrives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
