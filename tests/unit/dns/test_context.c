#include "../core/fixture.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "dns/context.h"

/* Nobody is there: port 9 of the loopback is for what is to be thrown away. */
static const struct endpoint nobody = { .address = "127.0.0.1", .port = 9 };

static const struct dns_context_config config = {
	.forwarders = &nobody,
	.forwarder_count = 1,
	.cache_size = 1 << 20,
	.questions_max = 2,
};

static struct dns_context *open_context(struct group *g)
{
	struct err err;

	group_init(g);
	struct dns_context *c = dns_context_open(&config, g, &err);
	assert_non_null(c);
	return c;
}

static void close_context(struct dns_context *c, struct group *g)
{
	group_done(g);
	dns_context_close(c);
}

static int may_suspend ask(struct dns_context *c, const char *name, int64_t ms, struct arena *a,
			   struct dns_outcome *out)
{
	struct dns_question q = { str_from(name), DNS_A, loop_deadline(ms) };

	return dns_context_ask(c, &q, a, out);
}

static void check_known(void *unused)
{
	auto_arena struct arena a = ARENA_INIT;
	struct dns_outcome o;
	struct group g;
	(void)unused;

	struct dns_context *c = open_context(&g);
	assert_int_equal(ask(c, "localhost", 0, &a, &o), 0);
	assert_int_equal(o.reply.status, DNS_FOUND);
	assert_true(o.cached);
	assert_int_equal(dns_context_pending(c), 0);
	close_context(c, &g);
}

static void what_is_known_is_answered_without_waiting(void **state)
{
	(void)state;
	run_in_fiber(check_known, NULL);
}

static void check_gone(void *unused)
{
	auto_arena struct arena a = ARENA_INIT;
	struct dns_outcome o;
	struct group g;
	(void)unused;

	struct dns_context *c = open_context(&g);
	for (unsigned i = 0; i < config.questions_max; i++) {
		assert_int_equal(ask(c, i ? "a.example" : "b.example", 0, &a, &o), -ETIMEDOUT);
		assert_int_equal(o.reply.status, DNS_TEMPFAIL);
		assert_int_equal(dns_context_pending(c), i + 1);
	}
	/* They still take their places, and end with the context. */
	assert_int_equal(ask(c, "localhost", 0, &a, &o), -ETIMEDOUT);
	assert_true(str_eq(o.reason, STR("too many questions are in flight")));
	close_context(c, &g);
}

static void a_question_outlives_who_asked_it(void **state)
{
	(void)state;
	run_in_fiber(check_gone, NULL);
}

static void check_refused(void *unused)
{
	struct dns_context_config broken = config;
	struct group g;
	struct err err;
	(void)unused;

	group_init(&g);
	broken.trust_anchor = "/nonexistent/root.key";
	assert_null(dns_context_open(&broken, &g, &err));
	assert_true(err.code < 0);
	assert_true(str_starts(str_from(err.text), STR("libunbound")));
	group_done(&g);
}

static void a_resolver_that_cannot_be_opened_says_why(void **state)
{
	(void)state;
	run_in_fiber(check_refused, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(what_is_known_is_answered_without_waiting),
		fiber_test(a_question_outlives_who_asked_it),
		fiber_test(a_resolver_that_cannot_be_opened_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
