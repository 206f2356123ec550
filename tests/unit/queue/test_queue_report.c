/* What senders are told, and that they are told once. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"

#define HOUR ((int64_t)3600 * 1000)
#define DAY  (24 * HOUR)

static int judge(struct world *w, const struct courier_deliver_in *in,
		 const struct courier_recipient *r, struct courier_deliver_out *out)
{
	(void)w, (void)in, (void)out;
	return str_starts(r->address, STR("nobody")) ? COURIER_REFUSED
	       : str_starts(r->address, STR("busy")) ? COURIER_TRY_AGAIN
						     : COURIER_DELIVERED;
}

static int judge_and_take_over(struct world *w, const struct courier_deliver_in *in,
			       const struct courier_recipient *r, struct courier_deliver_out *out)
{
	out->dsn = true;
	return judge(w, in, r, out);
}

static struct queue_recipient remote(const char *address, unsigned notify)
{
	return (struct queue_recipient){ .address = str_from(address),
					 .kind = ENVELOPE_REMOTE,
					 .notify = (uint8_t)notify };
}

static size_t count_in(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		n++;
	return n;
}

static const char *report(const struct world *w, size_t i)
{
	assert_true(i < w->delivery_count);
	assert_string_equal(w->deliveries[i].sender, "");
	return w->deliveries[i].content;
}

IN_WORLD(all_refused_recipients_are_in_one_report)
{
	struct queue_recipient rcpts[] = { remote("nobody1@example.com", 0),
					   remote("x@example.com", 0),
					   remote("nobody2@example.net", 0),
					   remote("nobody3@example.net", ENVELOPE_NOTIFY_NEVER) };
	uint64_t id;

	w->courier_script = judge;
	assert_int_equal(world_submit(w, "bob@example.org", rcpts, 4, &id), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 1);
	const char *text = report(w, 0);
	assert_int_equal(count_in(text, "Final-Recipient: "), 2);
	assert_int_equal(
		count_in(text, "Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example."),
		2);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(a_delay_is_told_once_after_four_hours)
{
	struct queue_recipient rcpt = remote("busy@example.com", 0);
	uint64_t id;

	world_kill(w);
	w->config.delay_warning = 4 * HOUR;
	world_start(w);
	w->courier_script = judge;
	assert_int_equal(world_submit(w, "bob@example.org", &rcpt, 1, &id), 0);
	world_sleep(w, 4 * HOUR);
	assert_int_equal(w->delivery_count, 0);
	world_sleep(w, 2 * HOUR);
	assert_int_equal(w->delivery_count, 1);
	assert_non_null(strstr(report(w, 0), "Subject: Delayed Mail (still being retried)\r\n"));
	assert_non_null(strstr(report(w, 0), "Action: delayed\r\n"));
	assert_non_null(strstr(report(w, 0), "Will-Retry-Until: "));
	assert_non_null(strstr(report(w, 0), "tried for 5 days in all"));
	world_sleep(w, DAY);
	world_restart(w);
	world_sleep(w, DAY);
	assert_int_equal(w->delivery_count, 1);

	world_sleep(w, 4 * DAY);
	assert_int_equal(w->delivery_count, 2);
	assert_non_null(strstr(report(w, 1), "Action: failed\r\n"));
	assert_non_null(strstr(report(w, 1), "It was tried for 5 days"));
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(no_delay_is_told_where_none_is_wanted)
{
	struct queue_recipient rcpts[] = { remote("busy1@example.com", ENVELOPE_NOTIFY_FAILURE),
					   remote("busy2@example.com", ENVELOPE_NOTIFY_NEVER) };
	uint64_t id;

	world_kill(w);
	w->config.delay_warning = 4 * HOUR;
	world_start(w);
	w->courier_script = judge;
	assert_int_equal(world_submit(w, "bob@example.org", rcpts, 2, &id), 0);
	world_sleep(w, DAY);
	assert_int_equal(w->delivery_count, 0);
	world_sleep(w, 5 * DAY);
	assert_int_equal(w->delivery_count, 1);
	assert_int_equal(world_messages(w), 0);
}

IN_WORLD(mail_without_a_sender_has_a_lifetime_of_its_own)
{
	world_kill(w);
	w->config.bounce_lifetime = DAY;
	world_start(w);
	w->courier_script = judge;
	assert_int_equal(world_send_remote(w, "", "busy@example.com"), 0);
	world_sleep(w, DAY);
	assert_int_equal(world_messages(w), 1);
	world_sleep(w, 2 * HOUR);
	assert_int_equal(world_messages(w), 0);
	assert_int_equal(w->delivery_count, 0);
}

IN_WORLD(success_is_told_where_nobody_else_will)
{
	struct queue_recipient rcpt = remote("x@example.com", ENVELOPE_NOTIFY_SUCCESS);
	uint64_t id;

	w->courier_script = judge_and_take_over;
	assert_int_equal(world_submit(w, "bob@example.org", &rcpt, 1, &id), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->shipments[0].notify, ENVELOPE_NOTIFY_SUCCESS);
	assert_int_equal(w->delivery_count, 0);

	w->courier_script = judge;
	assert_int_equal(world_submit(w, "bob@example.org", &rcpt, 1, &id), 0);
	world_sleep(w, 5000);
	assert_int_equal(w->delivery_count, 1);
	assert_non_null(strstr(report(w, 0), "Action: relayed\r\n"));
	assert_null(strstr(report(w, 0), "This is message "));
}

/* Wherever the disk fails or the process dies, there is one report in the end. */
IN_WORLD(a_report_is_neither_lost_nor_doubled)
{
	size_t reports = 0;

	w->courier_script = judge;
	for (unsigned at = 1; at < 60; at++) {
		assert_int_equal(world_send_remote(w, "bob@example.org", "nobody@example.com"), 0);
		disk_fail(at, 1, EIO);
		world_sleep(w, (int64_t)(at % 7));
		world_kill(w);
		disk_mend();
		world_start(w);
		world_sleep(w, HOUR);
		assert_int_equal(world_messages(w), 0);
		/* A delivery that no checkpoint covered is repeated here, with the same id. */
		size_t now = 0;
		for (size_t i = 0; i < w->delivery_count; i++)
			now += i == 0 || w->deliveries[i].id != w->deliveries[i - 1].id;
		assert_int_equal(now, ++reports);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(all_refused_recipients_are_in_one_report),
		fiber_test(a_delay_is_told_once_after_four_hours),
		fiber_test(no_delay_is_told_where_none_is_wanted),
		fiber_test(mail_without_a_sender_has_a_lifetime_of_its_own),
		fiber_test(success_is_told_where_nobody_else_will),
		fiber_test(a_report_is_neither_lost_nor_doubled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
