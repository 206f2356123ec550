#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "auth/sasl.h"
#include "base/arena.h"

static void plain_messages_have_three_parts(void **state)
{
	(void)state;
	static const struct {
		struct str message;
		int result;
	} cases[] = {
		{ STR_INIT("\0user@a.b\0secret"), 0 },
		{ STR_INIT("other@a.b\0user@a.b\0se cret"), 0 },
		{ STR_INIT("\0\0secret"), -EINVAL },
		{ STR_INIT("\0user\0"), -EINVAL },
		{ STR_INIT("\0user"), -EINVAL },
		{ STR_INIT("\0user\0se\0cret"), -EINVAL },
		{ STR_INIT("\0us\xff\0secret"), -EINVAL },
		{ STR_INIT(""), -EINVAL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sasl_credentials c;
		assert_int_equal(sasl_plain_parse(cases[i].message, &c), cases[i].result);
	}
}

static void plain_with_an_initial_response_is_done_at_once(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct sasl_exchange x = { .mech = SASL_PLAIN };
	struct str challenge;

	/* RFC 4616 section 4 */
	assert_int_equal(sasl_start(&x, &a, STR("AHRpbQB0YW5zdGFhZnRhbnN0YWFm"), &challenge),
			 SASL_DONE);
	assert_true(str_eq(x.credentials.user, STR("tim")));
	assert_true(str_eq(x.credentials.password, STR("tanstaaftanstaaf")));
	assert_int_equal(x.credentials.authzid.n, 0);
}

static void plain_without_initial_response_asks_with_an_empty_challenge(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct sasl_exchange x = { .mech = SASL_PLAIN };
	struct str challenge = STR("x");

	assert_int_equal(sasl_start(&x, &a, STR_NONE, &challenge), SASL_CONTINUE);
	assert_int_equal(challenge.n, 0);
	assert_int_equal(sasl_next(&x, STR("AHRpbQB0YW5zdGFhZnRhbnN0YWFm"), &challenge), SASL_DONE);
}

static void login_asks_for_name_and_password(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct sasl_exchange x = { .mech = SASL_LOGIN };
	struct str challenge;

	assert_int_equal(sasl_start(&x, &a, STR_NONE, &challenge), SASL_CONTINUE);
	assert_true(str_eq(challenge, STR("VXNlcm5hbWU6")));
	assert_int_equal(sasl_next(&x, STR("dGlt"), &challenge), SASL_CONTINUE);
	assert_true(str_eq(challenge, STR("UGFzc3dvcmQ6")));
	assert_int_equal(sasl_next(&x, STR("c2VjcmV0"), &challenge), SASL_DONE);
	assert_true(str_eq(x.credentials.user, STR("tim")));
	assert_true(str_eq(x.credentials.password, STR("secret")));
}

static void login_takes_the_name_as_initial_response(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct sasl_exchange x = { .mech = SASL_LOGIN };
	struct str challenge;

	assert_int_equal(sasl_start(&x, &a, STR("dGlt"), &challenge), SASL_CONTINUE);
	assert_true(str_eq(challenge, STR("UGFzc3dvcmQ6")));
}

static void answers_that_are_no_answers(void **state)
{
	(void)state;
	static const struct {
		enum sasl_mech mech;
		struct str line;
		enum sasl_step step;
	} cases[] = {
		{ SASL_PLAIN, STR_INIT("*"), SASL_ABORTED },
		{ SASL_LOGIN, STR_INIT("*"), SASL_ABORTED },
		{ SASL_PLAIN, STR_INIT("="), SASL_INVALID },
		{ SASL_LOGIN, STR_INIT(""), SASL_INVALID },
		{ SASL_LOGIN, STR_INIT("dGl"), SASL_INVALID },
		{ SASL_LOGIN, STR_INIT("AAAA"), SASL_INVALID },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct sasl_exchange x = { .mech = cases[i].mech };
		struct str challenge;
		assert_int_equal(sasl_start(&x, &a, STR_NONE, &challenge), SASL_CONTINUE);
		assert_int_equal(sasl_next(&x, cases[i].line, &challenge), cases[i].step);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_messages_have_three_parts),
		cmocka_unit_test(plain_with_an_initial_response_is_done_at_once),
		cmocka_unit_test(plain_without_initial_response_asks_with_an_empty_challenge),
		cmocka_unit_test(login_asks_for_name_and_password),
		cmocka_unit_test(login_takes_the_name_as_initial_response),
		cmocka_unit_test(answers_that_are_no_answers),
	};
	return cmocka_run_group_tests_name("auth/sasl", tests, NULL, NULL);
}
