#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "courier/reply.h"

struct reply_case {
	const char *lines; /* separated by LF */
	int result, code;
	const char *status, *text;
};

static int feed(struct courier_reply *r, struct str lines)
{
	int result = REPLY_MORE;

	courier_reply_init(r);
	STR_FOREACH_LINE (lines, line) {
		assert_int_equal(result, REPLY_MORE);
		result = courier_reply_add(r, line);
	}
	return result;
}

static void replies_become_one_line(void **state)
{
	(void)state;
	static const struct reply_case cases[] = {
		{ "250 2.1.0 Ok", REPLY_DONE, 250, "2.1.0", "250 2.1.0 Ok" },
		{ "250 Ok", REPLY_DONE, 250, "2.0.0", "250 Ok" },
		{ "250", REPLY_DONE, 250, "2.0.0", "250" },
		{ "550-5.1.1 No\n550-5.1.1 such\n550 5.1.1 user", REPLY_DONE, 550, "5.1.1",
		  "550 5.1.1 No such user" },
		{ "550-5.1.1 No\n550 user", REPLY_DONE, 550, "5.1.1", "550 5.1.1 No user" },
		{ "550-No\n550 5.7.1 user", REPLY_DONE, 550, "5.7.1", "550 No 5.7.1 user" },
		{ "450 5.1.1 other class", REPLY_DONE, 450, "4.0.0", "450 5.1.1 other class" },
		{ "250-2.0.0 a\n550 b", REPLY_DONE, 550, "5.0.0", "550 2.0.0 a b" },
		{ "550 5.1234.1 x", REPLY_DONE, 550, "5.0.0", "550 5.1234.1 x" },
		{ "550 5.1.1x", REPLY_DONE, 550, "5.0.0", "550 5.1.1x" },
		{ "550 5.1", REPLY_DONE, 550, "5.0.0", "550 5.1" },
		{ "250-a", REPLY_MORE, 250, "", "250 a" },
		{ "", -EPROTO, 0, "", "" },
		{ "25", -EPROTO, 0, "", "" },
		{ "150 x", -EPROTO, 0, "", "" },
		{ "650 x", -EPROTO, 0, "", "" },
		{ "250x", -EPROTO, 0, "", "" },
		{ "2x0 x", -EPROTO, 0, "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct reply_case *c = &cases[i];
		struct courier_reply r;
		int result = c->lines[0] ? feed(&r, str_from(c->lines))
					 : (courier_reply_init(&r), courier_reply_add(&r, STR("")));
		if (result != c->result)
			fail_msg("%s: %d", c->lines, result);
		if (result < 0)
			continue;
		assert_int_equal(r.code, c->code);
		if (!str_eq(courier_reply_text(&r), str_from(c->text)))
			fail_msg("%s: %.*s", c->lines, (int)r.n, r.text);
		if (result == REPLY_DONE)
			assert_string_equal(r.status, c->status);
	}
}

static void a_reply_has_an_end(void **state)
{
	(void)state;
	struct courier_reply r;
	int result = REPLY_MORE;
	unsigned lines = 0;

	courier_reply_init(&r);
	while (result == REPLY_MORE && lines++ < 10 * REPLY_LINES_MAX)
		result = courier_reply_add(&r, STR("250-and one more"));
	assert_int_equal(result, -EPROTO);
	assert_int_equal(lines, REPLY_LINES_MAX + 1);
	assert_true(r.n <= REPLY_TEXT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_become_one_line),
		cmocka_unit_test(a_reply_has_an_end),
	};
	return cmocka_run_group_tests_name("courier/reply", tests, NULL, NULL);
}
