/* Priorities (RFC 6710): who goes first, and that nobody goes last for ever. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static int64_t slowly(struct world *w, const struct courier_deliver_in *in)
{
	(void)w, (void)in;
	return 1000;
}

static void submit(struct world *w, int priority, unsigned n, const char *domain)
{
	char sender[64], address[64];

	w->flags = priority ? envelope_priority_flags(priority) : 0;
	snprintf(sender, sizeof(sender), "p%d@example.org", priority);
	for (unsigned i = 0; i < n; i++) {
		snprintf(address, sizeof(address), "x%u@%s", i, domain);
		assert_int_equal(world_send_remote(w, sender, address), 0);
	}
}

/* How many of the shipments from `first` on, of `n`, have this priority. */
static unsigned count(const struct world *w, int priority, size_t first, size_t n)
{
	char sender[64];
	unsigned found = 0;

	snprintf(sender, sizeof(sender), "p%d@example.org", priority);
	assert_true(w->shipment_count >= first + n);
	for (size_t i = first; i < first + n; i++)
		found += strcmp(w->shipments[i].sender, sender) == 0;
	return found;
}

IN_WORLD(what_is_urgent_overtakes_what_waits_for_the_same_destination)
{
	w->courier_slow = slowly;
	submit(w, 0, 60, "example.com");
	world_sleep(w, 100);
	submit(w, 4, 1, "example.com");
	world_sleep(w, 3500);
	assert_in_range(w->shipment_count, 10, 30);
	assert_int_equal(count(w, 4, 5, 2), 1);
}

IN_WORLD(nobody_starves)
{
	w->courier_slow = slowly;
	submit(w, -4, 100, "example.com");
	submit(w, 0, 100, "example.com");
	submit(w, 9, 100, "example.com");
	world_sleep(w, 60 * 60 * 1000);
	assert_int_equal(w->shipment_count, 300);
	/* The first five were in flight before the others came. */
	assert_in_range(count(w, 9, 5, 64), 36, 44);
	assert_in_range(count(w, 0, 5, 64), 16, 24);
	assert_in_range(count(w, -4, 5, 64), 2, 6);
}

IN_WORLD(what_has_time_has_all_turns_that_nobody_else_wants)
{
	submit(w, -9, 50, "example.com");
	world_sleep(w, 1000);
	assert_int_equal(w->shipment_count, 50);
}

IN_WORLD(destinations_of_urgent_mail_have_their_turn_first)
{
	char domain[32];

	w->courier_slow = slowly;
	for (unsigned i = 0; i < 500; i++) {
		snprintf(domain, sizeof(domain), "d%u.example", i);
		submit(w, 0, 3, domain);
	}
	world_sleep(w, 100);
	submit(w, 1, 1, "urgent.example");
	world_sleep(w, 3000);
	size_t at = 0;
	while (at < w->shipment_count && strcmp(w->shipments[at].nexthop, "urgent.example") != 0)
		at++;
	/* So many calls were in flight when it came; with the next ones it goes. */
	assert_in_range(at, 1, 900);
}

IN_WORLD(a_priority_outlives_the_process)
{
	w->courier_slow = slowly;
	submit(w, 0, 60, "example.com");
	submit(w, 5, 5, "example.com");
	world_restart(w);
	world_sleep(w, 60 * 1000);
	size_t last = w->shipment_count;
	assert_true(last >= 65);
	/* Behind those that were in flight twice; all of the urgent are among the first half. */
	assert_int_equal(count(w, 5, 0, 40), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(what_is_urgent_overtakes_what_waits_for_the_same_destination),
		fiber_test(nobody_starves),
		fiber_test(what_has_time_has_all_turns_that_nobody_else_wants),
		fiber_test(destinations_of_urgent_mail_have_their_turn_first),
		fiber_test(a_priority_outlives_the_process),
	};
	return cmocka_run_group_tests_name("queue/queue_urgency", tests, NULL, NULL);
}
