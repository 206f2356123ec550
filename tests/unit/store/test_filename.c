#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/maildir/filename.h"
#include "store/store.h"

static uint32_t letters(const char *s)
{
	uint32_t bits = 0;
	for (; *s; s++)
		bits |= 1u << (*s & 31) >> 1;
	return bits;
}

static void names_are_taken_apart(void **state)
{
	(void)state;
	static const struct {
		struct str name;
		const char *base, *unique, *upper, *lower;
		uint64_t size, wire_size;
		bool canonical;
	} cases[] = {
		{ STR_INIT("1.M2P3.h,S=4,W=5:2,FSab"), "1.M2P3.h,S=4,W=5", "1.M2P3.h", "FS", "ab",
		  4, 5, true },
		{ STR_INIT("1.M2P3.h:2,"), "1.M2P3.h", "1.M2P3.h", "", "", STORE_UNKNOWN,
		  STORE_UNKNOWN, true },
		{ STR_INIT("x"), "x", "x", "", "", STORE_UNKNOWN, STORE_UNKNOWN, false },
		{ STR_INIT("x:2,SF"), "x", "x", "FS", "", STORE_UNKNOWN, STORE_UNKNOWN, false },
		{ STR_INIT("x:2,SS"), "x", "x", "S", "", STORE_UNKNOWN, STORE_UNKNOWN, false },
		{ STR_INIT("x:2,S,Fb"), "x", "x", "S", "", STORE_UNKNOWN, STORE_UNKNOWN, false },
		{ STR_INIT("x:2,S9a"), "x", "x", "S", "a", STORE_UNKNOWN, STORE_UNKNOWN, false },
		{ STR_INIT("x:1,S"), "x", "x", "", "", STORE_UNKNOWN, STORE_UNKNOWN, false },
		{ STR_INIT("x:"), "x", "x", "", "", STORE_UNKNOWN, STORE_UNKNOWN, false },
		{ STR_INIT("x,W=9,S=8,q:2,AZaz"), "x,W=9,S=8,q", "x", "AZ", "az", 8, 9, true },
		{ STR_INIT("x,S=:2,"), "x,S=", "x", "", "", STORE_UNKNOWN, STORE_UNKNOWN, true },
		{ STR_INIT("x,S=9999999999999999999:2,"), "x,S=9999999999999999999", "x", "", "",
		  STORE_UNKNOWN, STORE_UNKNOWN, true },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct maildir_filename f;
		assert_true(maildir_filename_parse(cases[i].name, &f));
		assert_true(str_eq(f.base, str_from(cases[i].base)));
		assert_true(str_eq(f.unique, str_from(cases[i].unique)));
		assert_int_equal(f.letters, letters(cases[i].upper));
		assert_int_equal(f.keywords, letters(cases[i].lower));
		assert_int_equal(f.size, cases[i].size);
		assert_int_equal(f.wire_size, cases[i].wire_size);
		assert_int_equal(f.canonical, cases[i].canonical);
	}
}

static void what_cannot_be_a_message_is_refused(void **state)
{
	(void)state;
	static const struct str names[] = { STR_INIT(""),     STR_INIT("."),   STR_INIT(".x:2,S"),
					    STR_INIT(":2,S"), STR_INIT("a/b"), STR_INIT("a\nb"),
					    STR_INIT("a\0b") };
	struct maildir_filename f;
	char big[256];
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_false(maildir_filename_parse(names[i], &f));
	memset(big, 'a', sizeof(big));
	assert_false(maildir_filename_parse(str_of(big, MAILDIR_BASE_MAX + 1), &f));
	assert_true(maildir_filename_parse(str_of(big, MAILDIR_BASE_MAX), &f));
}

static void flags_change_only_their_own_letters(void **state)
{
	(void)state;
	uint32_t all = STORE_FLAGS_ALL;
	assert_int_equal(maildir_letters_to_flags(letters("DFRST")), all);
	assert_int_equal(maildir_letters_with_flags(letters("PSZ"), STORE_DRAFT), letters("DPZ"));
	assert_int_equal(maildir_letters_with_flags(0, all), letters("DFRST"));
}

static void a_suffix_is_in_letter_order(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, NULL, 100);
	maildir_suffix_write(&b, letters("TSRFD"), letters("zab"));
	assert_true(str_eq(buf_str(&b), STR(":2,DFRSTabz")));
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_taken_apart),
		cmocka_unit_test(what_cannot_be_a_message_is_refused),
		cmocka_unit_test(flags_change_only_their_own_letters),
		cmocka_unit_test(a_suffix_is_in_letter_order),
	};
	return cmocka_run_group_tests_name("store/filename", tests, NULL, NULL);
}
