#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "base/base64.h"

/* RFC 4648 section 10, and a few with the last digits of the alphabet. */
static const struct {
	struct str bytes, text;
} pairs[] = {
	{ STR_INIT(""), STR_INIT("") },
	{ STR_INIT("f"), STR_INIT("Zg==") },
	{ STR_INIT("fo"), STR_INIT("Zm8=") },
	{ STR_INIT("foo"), STR_INIT("Zm9v") },
	{ STR_INIT("foob"), STR_INIT("Zm9vYg==") },
	{ STR_INIT("fooba"), STR_INIT("Zm9vYmE=") },
	{ STR_INIT("foobar"), STR_INIT("Zm9vYmFy") },
	{ STR_INIT("\xff\xff\xfe"), STR_INIT("///+") },
	{ STR_INIT("\0user\0pass"), STR_INIT("AHVzZXIAcGFzcw==") },
};

static void text_and_bytes_match_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		auto_buf struct buf text, bytes;
		buf_init(&text, NULL, 1000);
		buf_init(&bytes, NULL, 1000);

		base64_write(&text, pairs[i].bytes);
		assert_true(str_eq(buf_str(&text), pairs[i].text));
		assert_int_equal(base64_parse(pairs[i].text, &bytes), 0);
		assert_true(str_eq(buf_str(&bytes), pairs[i].bytes));
	}
}

static void text_that_is_not_canonical_is_refused(void **state)
{
	(void)state;
	static const struct str bad[] = {
		STR_INIT("Z"),	   STR_INIT("Zg"),	 STR_INIT("Zg="),  STR_INIT("Zg=a"),
		STR_INIT("Z==="),  STR_INIT("===="),	 STR_INIT("Zh=="), STR_INIT("Zm9="),
		STR_INIT("Zm 9"),  STR_INIT("Zg==Zg=="), STR_INIT("Zm9-"), STR_INIT("Zm9v\r\n"),
		STR_INIT("Zm9\0"), STR_INIT("Zm9\xff"),	 STR_INIT("=m9v"), STR_INIT("Zg==="),
	};
	auto_buf struct buf out;
	buf_init(&out, NULL, 1000);
	buf_puts(&out, "kept");

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(base64_parse(bad[i], &out), -EINVAL);
		assert_true(str_eq(buf_str(&out), STR("kept")));
		assert_false(buf_failed(&out));
	}
}

static void what_does_not_fit_is_an_error(void **state)
{
	(void)state;
	auto_buf struct buf out;

	buf_init(&out, NULL, 5);
	assert_int_equal(base64_parse(STR("Zm9vYmE="), &out), 0);
	buf_clear(&out);
	assert_int_equal(base64_parse(STR("Zm9vYmFy"), &out), -ENOBUFS);
	assert_int_equal(out.n, 0);
	buf_clear(&out);
	assert_int_equal(hex_parse(STR("001122334455"), &out), -ENOBUFS);
	buf_clear(&out);
	base64_write(&out, STR("foob"));
	assert_true(buf_failed(&out));
}

static void every_byte_survives(void **state)
{
	(void)state;
	char all[256];
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;

	for (size_t n = 0; n <= sizeof(all); n++) {
		auto_buf struct buf text, bytes;
		buf_init(&text, NULL, 1000);
		buf_init(&bytes, NULL, 1000);
		base64_write(&text, str_of(all, n));
		assert_int_equal(base64_parse(buf_str(&text), &bytes), 0);
		assert_true(str_eq(buf_str(&bytes), str_of(all, n)));
		buf_clear(&text);
		buf_clear(&bytes);
		hex_write(&text, str_of(all, n));
		assert_int_equal(hex_parse(buf_str(&text), &bytes), 0);
		assert_true(str_eq(buf_str(&bytes), str_of(all, n)));
	}
}

static void hex_is_written_in_lower_and_read_in_either_case(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 100);

	hex_write(&b, STR("\x00\xaf\x9f"));
	assert_true(str_eq(buf_str(&b), STR("00af9f")));
	buf_clear(&b);
	assert_int_equal(hex_parse(STR("aFaf"), &b), 0);
	assert_true(str_eq(buf_str(&b), STR("\xaf\xaf")));
	assert_int_equal(hex_parse(STR("a"), &b), -EINVAL);
	assert_int_equal(hex_parse(STR("0g"), &b), -EINVAL);
	assert_int_equal(b.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_bytes_match_the_rfc),
		cmocka_unit_test(text_that_is_not_canonical_is_refused),
		cmocka_unit_test(what_does_not_fit_is_an_error),
		cmocka_unit_test(every_byte_survives),
		cmocka_unit_test(hex_is_written_in_lower_and_read_in_either_case),
	};
	return cmocka_run_group_tests_name("base/base64", tests, NULL, NULL);
}
