#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "store/maildir/uidlist.h"

static void headers_are_read_and_written_back(void **state)
{
	(void)state;
	static const struct {
		struct str in;
		const char *out; /* NULL: no header */
	} cases[] = {
		{ STR_INIT("3 V5 N6 G0102030405060708090a0b0c0d0e0fff"),
		  "3 V5 N6 G0102030405060708090a0b0c0d0e0fff\n" },
		{ STR_INIT("3 N6 V5"), "3 V5 N6 G00000000000000000000000000000000\n" },
		{ STR_INIT("3 V5"), "3 V5 N1 G00000000000000000000000000000000\n" },
		{ STR_INIT("3 V5 N6 Gxyz Qfoo"),
		  "3 V5 N6 G00000000000000000000000000000000 Gxyz Qfoo\n" },
		{ STR_INIT("1 5 6"), "3 V5 N6 G00000000000000000000000000000000\n" },
		{ STR_INIT(""), NULL },
		{ STR_INIT("3"), NULL },
		{ STR_INIT("3 V0"), NULL },
		{ STR_INIT("3 V5 N0"), NULL },
		{ STR_INIT("3 V4294967296"), NULL },
		{ STR_INIT("3 V-1"), NULL },
		{ STR_INIT("2 V5 N6"), NULL },
		{ STR_INIT("1 5"), NULL },
	};
	struct arena a = ARENA_INIT;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct uidlist_header h;
		struct buf out;
		assert_int_equal(uidlist_header_parse(cases[i].in, &a, &h), cases[i].out != NULL);
		if (!cases[i].out)
			continue;
		buf_init(&out, &a, 1000);
		uidlist_header_write(&out, &h);
		assert_true(str_eq(buf_str(&out), str_from(cases[i].out)));
	}
	arena_done(&a);
}

static void records_are_read(void **state)
{
	(void)state;
	static const struct {
		struct str in;
		uint32_t uid; /* 0: damaged */
		const char *ext, *base;
	} cases[] = {
		{ STR_INIT("25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,"), 25006, "",
		  "1276528487.M364837P9451.kurkku,S=1355,W=1394" },
		{ STR_INIT("7 W2481 P00aa :x"), 7, "W2481 P00aa", "x" },
		{ STR_INIT("7 :with blank"), 7, "", "with blank" },
		{ STR_INIT("7 old-format"), 7, "", "old-format" },
		{ STR_INIT("0 :x"), 0, NULL, NULL },
		{ STR_INIT("-1 :x"), 0, NULL, NULL },
		{ STR_INIT("4294967295 :x"), 0, NULL, NULL },
		{ STR_INIT("4294967296 :x"), 0, NULL, NULL },
		{ STR_INIT("7"), 0, NULL, NULL },
		{ STR_INIT("7 "), 0, NULL, NULL },
		{ STR_INIT("7 :"), 0, NULL, NULL },
		{ STR_INIT("7 :../x"), 0, NULL, NULL },
		{ STR_INIT("7 :.x"), 0, NULL, NULL },
		{ STR_INIT("x :y"), 0, NULL, NULL },
		{ STR_INIT("7 :a\0b"), 0, NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct uidlist_record r;
		assert_int_equal(uidlist_record_parse(cases[i].in, &r), cases[i].uid != 0);
		if (!cases[i].uid)
			continue;
		assert_int_equal(r.uid, cases[i].uid);
		assert_true(str_eq(r.ext, str_from(cases[i].ext)));
		assert_true(str_eq(r.base, str_from(cases[i].base)));
	}
}

static void records_are_written_with_their_fields(void **state)
{
	(void)state;
	struct buf b;
	struct uidlist_record plain = { 1, STR_NONE, STR("a") },
			      ext = { 2, STR("W3 Px"), STR("b") };
	buf_init(&b, NULL, 100);
	uidlist_record_write(&b, &plain);
	uidlist_record_write(&b, &ext);
	assert_true(str_eq(buf_str(&b), STR("1 :a\n2 W3 Px :b\n")));
	buf_done(&b);
}

static void one_field_is_found_among_others(void **state)
{
	(void)state;
	assert_true(str_eq(uidlist_ext_field(STR("W3 Px S9"), 'P'), STR("x")));
	assert_true(str_eq(uidlist_ext_field(STR("W3 Px S9"), 'W'), STR("3")));
	assert_int_equal(uidlist_ext_field(STR("W3"), 'P').n, 0);
	assert_int_equal(uidlist_ext_field(STR_NONE, 'P').n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_read_and_written_back),
		cmocka_unit_test(records_are_read),
		cmocka_unit_test(records_are_written_with_their_fields),
		cmocka_unit_test(one_field_is_found_among_others),
	};
	return cmocka_run_group_tests_name("store/uidlist", tests, NULL, NULL);
}
