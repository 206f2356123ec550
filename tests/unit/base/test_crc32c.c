#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "base/crc32c.h"

/* RFC 3720 B.4. */
static void vectors_of_the_rfc(void **state)
{
	(void)state;
	unsigned char b[32];

	memset(b, 0, sizeof(b));
	assert_int_equal(crc32c(0, b, sizeof(b)), 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	assert_int_equal(crc32c(0, b, sizeof(b)), 0x62a8ab43);
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (unsigned char)i;
	assert_int_equal(crc32c(0, b, sizeof(b)), 0x46dd794e);
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (unsigned char)(31 - i);
	assert_int_equal(crc32c(0, b, sizeof(b)), 0x113fdb5c);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, "", 0), 0);
}

static uint32_t crc_by_bits(const unsigned char *p, size_t n)
{
	uint32_t c = ~0u;
	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
	}
	return ~c;
}

static void every_length_and_alignment_agrees_with_the_definition(void **state)
{
	(void)state;
	unsigned char b[96];
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (unsigned char)(i * 167 + 13);

	for (size_t from = 0; from < 9; from++)
		for (size_t n = 0; from + n <= sizeof(b); n++)
			assert_int_equal(crc32c(0, b + from, n), crc_by_bits(b + from, n));
}

static void pieces_give_the_crc_of_the_whole(void **state)
{
	(void)state;
	static const char text[] = "the body, and the envelope before it";

	for (size_t cut = 0; cut <= sizeof(text); cut++) {
		uint32_t crc = crc32c(0, text, cut);
		crc = crc32c(crc, text + cut, sizeof(text) - cut);
		assert_int_equal(crc, crc32c(0, text, sizeof(text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_rfc),
		cmocka_unit_test(every_length_and_alignment_agrees_with_the_definition),
		cmocka_unit_test(pieces_give_the_crc_of_the_whole),
	};
	return cmocka_run_group_tests_name("base/crc32c", tests, NULL, NULL);
}
