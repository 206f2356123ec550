#include "imap/seqset.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

/* Parse, resolve, print. */
static int normal_form(const char *text, uint32_t largest, struct arena *a, struct buf *out)
{
	struct imap_seqset set;
	struct imap_seqset_writer w = { .out = out };
	int r = imap_seqset_parse(str_from(text), a, 100, &set);

	if (r < 0)
		return r;
	imap_seqset_resolve(&set, largest);
	for (size_t i = 0; i < set.count; i++)
		for (uint32_t n = set.ranges[i].first; n <= set.ranges[i].last; n++)
			imap_seqset_add(&w, n);
	imap_seqset_finish(&w);
	return 0;
}

static void sets_are_put_in_order_and_merged(void **state)
{
	static const struct {
		const char *text;
		uint32_t largest;
		const char *want; /* NULL: refused */
	} table[] = {
		{ "1", 10, "1" },
		{ "2,4:7,9,12:*", 15, "2,4:7,9,12:15" },
		{ "*:4,5:7", 10, "4:10" },
		{ "*", 10, "10" },
		{ "*", 0, "" },
		{ "1:*", 0, "" },
		{ "20:*", 10, "10:20" },
		{ "7:3,1:2", 10, "1:7" },
		{ "1,3,2", 10, "1:3" },
		{ "5:7,1:10,6", 10, "1:10" },
		{ "1:1,1,1", 1, "1" },
		{ "0", 10, NULL },
		{ "1:0", 10, NULL },
		{ "", 10, NULL },
		{ "1,", 10, NULL },
		{ ",1", 10, NULL },
		{ "1:2:3", 10, NULL },
		{ "1:", 10, NULL },
		{ "a", 10, NULL },
		{ "4294967296", 10, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct buf out;
		buf_init(&out, &a, 1000);
		int r = normal_form(table[i].text, table[i].largest, &a, &out);
		assert_int_equal(r, table[i].want ? 0 : -EINVAL);
		if (table[i].want)
			assert_string_equal(buf_cstr(&out), table[i].want);
	}
}

static void the_number_of_ranges_is_limited(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct imap_seqset set;

	(void)state;
	assert_int_equal(imap_seqset_parse(STR("1,2,3"), &a, 3, &set), 0);
	assert_int_equal(imap_seqset_parse(STR("1,2,3,4"), &a, 3, &set), -E2BIG);
}

static void the_largest_number_does_not_wrap(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct imap_seqset set;

	(void)state;
	assert_int_equal(imap_seqset_parse(STR("4294967295:*,1"), &a, 9, &set), 0);
	imap_seqset_resolve(&set, 7);
	assert_int_equal(set.count, 2);
	assert_true(imap_seqset_contains(&set, 1));
	assert_true(imap_seqset_contains(&set, 7));
	assert_true(imap_seqset_contains(&set, 8));
	assert_false(imap_seqset_contains(&set, 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_put_in_order_and_merged),
		cmocka_unit_test(the_number_of_ranges_is_limited),
		cmocka_unit_test(the_largest_number_does_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
