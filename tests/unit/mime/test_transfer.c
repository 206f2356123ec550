#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mime/transfer.h"

static struct str decode(struct arena *a, enum mime_encoding encoding, struct str text, size_t step,
			 size_t *errors)
{
	struct mime_decoder d;
	struct buf out;
	buf_init(&out, a, 1 << 20);
	mime_decoder_init(&d, encoding);
	for (size_t at = 0; at < text.n; at += step)
		mime_decoder_put(&d, str_sub(text, at, step), &out);
	*errors = d.errors;
	mime_decoder_finish(&d, &out);
	assert_false(buf_failed(&out));
	return buf_str(&out);
}

static struct str encode(struct arena *a, enum mime_encoding encoding, struct str text, size_t step)
{
	struct mime_encoder e;
	struct buf out;
	buf_init(&out, a, 1 << 20);
	mime_encoder_init(&e, encoding);
	for (size_t at = 0; at < text.n; at += step)
		mime_encoder_put(&e, str_sub(text, at, step), &out);
	mime_encoder_finish(&e, &out);
	assert_false(buf_failed(&out));
	return buf_str(&out);
}

static void assert_bytes(struct str got, struct str want)
{
	assert_int_equal(got.n, want.n);
	if (want.n)
		assert_memory_equal(got.p, want.p, want.n);
}

static void encodings_are_known_by_name(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		enum mime_encoding encoding;
	} cases[] = {
		{ "", MIME_ENCODING_7BIT },
		{ " (none) ", MIME_ENCODING_7BIT },
		{ "7bit", MIME_ENCODING_7BIT },
		{ " BASE64 ", MIME_ENCODING_BASE64 },
		{ "base64;", MIME_ENCODING_BASE64 },
		{ "Quoted-Printable (as usual)", MIME_ENCODING_QUOTED_PRINTABLE },
		{ "8bit", MIME_ENCODING_8BIT },
		{ "binary", MIME_ENCODING_BINARY },
		{ "x-uuencode", MIME_ENCODING_UNKNOWN },
		{ "\"base64\"", MIME_ENCODING_UNKNOWN },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(mime_encoding_parse(str_from(cases[i].value)), cases[i].encoding);
}

struct decode_case {
	struct str text, want;
	bool clean; /* no errors before the end */
};

static void assert_decoded(enum mime_encoding encoding, const struct decode_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t step = 1; step <= cases[i].text.n + 1; step++) {
			auto_arena struct arena a = ARENA_INIT;
			size_t errors;
			assert_bytes(decode(&a, encoding, cases[i].text, step, &errors),
				     cases[i].want);
			assert_int_equal(errors == 0, cases[i].clean);
		}
	}
}

static void base64_is_decoded_whatever_is_between_the_digits(void **state)
{
	(void)state;
	static const struct decode_case cases[] = {
		{ STR_INIT(""), STR_INIT(""), true },
		{ STR_INIT("Zm9v"), STR_INIT("foo"), true },
		{ STR_INIT("Zm9vYg==\r\n"), STR_INIT("foob"), true },
		{ STR_INIT("Zm9vYmE=\r\n"), STR_INIT("fooba"), true },
		{ STR_INIT("Zm\r\n9v\n Yg = ="), STR_INIT("foob"), true },
		{ STR_INIT("Zm9vYg"), STR_INIT("foob"), true },
		{ STR_INIT("Zm9vYg==Zm9v"), STR_INIT("foobfoo"), true },
		{ STR_INIT("Zm!9-v"), STR_INIT("foo"), false },
		{ STR_INIT("Zm9vZ="), STR_INIT("foo"), false },
		{ STR_INIT("===="), STR_INIT(""), true },
		{ STR_INIT("AAAA/+//"), STR_INIT("\0\0\0\xff\xef\xff"), true },
	};
	assert_decoded(MIME_ENCODING_BASE64, cases, ARRAY_LEN(cases));
}

static void quoted_printable_keeps_what_is_no_escape(void **state)
{
	(void)state;
	static const struct decode_case cases[] = {
		{ STR_INIT("plain\r\ntext\n"), STR_INIT("plain\r\ntext\n"), true },
		{ STR_INIT("=41=4a=4A"), STR_INIT("AJJ"), true },
		{ STR_INIT("soft=\r\nbreak=\nhere= \t\r\nand="), STR_INIT("softbreakhereand"),
		  true },
		{ STR_INIT("blanks \t\r\nat=20\r\nend  "), STR_INIT("blanks\r\nat \r\nend"), true },
		{ STR_INIT("in \t side"), STR_INIT("in \t side"), true },
		{ STR_INIT("a = b =xy =4z =4"), STR_INIT("a = b =xy =4z =4"), false },
		{ STR_INIT("==41"), STR_INIT("=A"), false },
		{ STR_INIT("cr\rin\r\r\nline"), STR_INIT("cr\rin\r\r\nline"), true },
		{ STR_INIT("blank \rcr\r"), STR_INIT("blank \rcr\r"), true },
		{ STR_INIT("\xc3\xa4=00"), STR_INIT("\xc3\xa4\0"), true },
	};
	assert_decoded(MIME_ENCODING_QUOTED_PRINTABLE, cases, ARRAY_LEN(cases));
}

static void other_encodings_pass_through(void **state)
{
	(void)state;
	static const struct decode_case cases[] = { { STR_INIT("=41 \r\n"), STR_INIT("=41 \r\n"),
						      true } };
	assert_decoded(MIME_ENCODING_8BIT, cases, 1);
	assert_decoded(MIME_ENCODING_UNKNOWN, cases, 1);
}

static void quoted_printable_escapes_what_would_not_survive(void **state)
{
	(void)state;
	static const struct {
		struct str text, want;
	} cases[] = {
		{ STR_INIT("a=b\n"), STR_INIT("a=3Db\r\n") },
		{ STR_INIT("end \nend\t\r\nend "), STR_INIT("end=20\r\nend=09\r\nend=20") },
		{ STR_INIT("a  b"), STR_INIT("a  b") },
		{ STR_INIT("\rx\r\r\n\r"), STR_INIT("=0Dx=0D\r\n=0D") },
		{ STR_INIT("\xc3\xa4\0"), STR_INIT("=C3=A4=00") },
		{ STR_INIT("123456789012345678901234567890123456789012345678901234567890"
			   "12345678901234567890"),
		  STR_INIT("123456789012345678901234567890123456789012345678901234567890"
			   "123456789012345=\r\n67890") },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t step = 1; step <= cases[i].text.n; step++) {
			auto_arena struct arena a = ARENA_INIT;
			assert_bytes(
				encode(&a, MIME_ENCODING_QUOTED_PRINTABLE, cases[i].text, step),
				cases[i].want);
		}
	}
}

static void encoded_bytes_come_back_on_short_lines(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	char bytes[700];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + 1);

	for (size_t n = 0; n <= sizeof(bytes); n += 13) {
		struct str whole = str_of(bytes, n);
		size_t errors;
		struct str text = encode(&a, MIME_ENCODING_BASE64, whole, 31);
		STR_FOREACH_LINE (text, line)
			assert_true(line.n <= 76);
		assert_bytes(decode(&a, MIME_ENCODING_BASE64, text, 17, &errors), whole);
		assert_int_equal(errors, 0);
		assert_true(n == 0 || str_ends(text, STR("\r\n")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings_are_known_by_name),
		cmocka_unit_test(base64_is_decoded_whatever_is_between_the_digits),
		cmocka_unit_test(quoted_printable_keeps_what_is_no_escape),
		cmocka_unit_test(other_encodings_pass_through),
		cmocka_unit_test(quoted_printable_escapes_what_would_not_survive),
		cmocka_unit_test(encoded_bytes_come_back_on_short_lines),
	};
	return cmocka_run_group_tests_name("mime/transfer", tests, NULL, NULL);
}
