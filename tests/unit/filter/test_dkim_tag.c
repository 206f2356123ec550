#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "filter/dkim_tag.h"

static void assert_str(struct str s, const char *expected)
{
	assert_int_equal(s.n, strlen(expected));
	assert_memory_equal(s.p ? s.p : "", expected, s.n);
}

static void a_list_gives_names_and_values(void **state)
{
	(void)state;
	struct dkim_tags tags;

	assert_int_equal(
		dkim_tags_parse(STR(" v=1; a = rsa-sha256 ;\r\n\tb=ab\r\n cd= ; empty=;x_1=q=p"),
				&tags),
		0);
	assert_int_equal(tags.n, 5);
	assert_str(dkim_tags_value(&tags, STR("v")), "1");
	assert_str(dkim_tags_value(&tags, STR("a")), "rsa-sha256");
	assert_str(dkim_tags_value(&tags, STR("b")), "ab\r\n cd=");
	assert_str(dkim_tags_find(&tags, STR("b"))->raw, "ab\r\n cd= ");
	assert_str(dkim_tags_value(&tags, STR("empty")), "");
	assert_non_null(dkim_tags_find(&tags, STR("empty")));
	assert_str(dkim_tags_value(&tags, STR("x_1")), "q=p");
	assert_null(dkim_tags_find(&tags, STR("A")));
}

static void what_is_no_list_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "",	       "  ",	 "v",	    "=1",
					   "v=1;;a=2", "1v=1",	 "v=1;v=2", "v w=1",
					   "v=\001",   "v=1; a", ";",	    "v=a\x7f" };
	struct dkim_tags tags;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(dkim_tags_parse(str_from(bad[i]), &tags), -EINVAL);
}

static void too_many_tags_are_refused(void **state)
{
	(void)state;
	auto_buf struct buf b;
	struct dkim_tags tags;

	buf_init(&b, NULL, 4096);
	for (int i = 0; i < DKIM_TAGS_MAX; i++)
		buf_printf(&b, "t%d=x;", i);
	assert_int_equal(dkim_tags_parse(buf_str(&b), &tags), 0);
	buf_puts(&b, "last=x");
	assert_int_equal(dkim_tags_parse(buf_str(&b), &tags), -E2BIG);
}

static void words_are_taken_one_by_one(void **state)
{
	(void)state;
	struct str rest = STR("From : \r\n To::Date "), word;
	static const char *const expected[] = { "From", "To", "", "Date" };

	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_true(dkim_tag_next(&rest, ':', &word));
		assert_str(word, expected[i]);
	}
	assert_false(dkim_tag_next(&rest, ':', &word));
	assert_true(dkim_tag_has(STR("sha1 : sha256"), ':', STR("sha256")));
	assert_false(dkim_tag_has(STR("sha1:sha2567"), ':', STR("sha256")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_gives_names_and_values),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(too_many_tags_are_refused),
		cmocka_unit_test(words_are_taken_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
