#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "core/proxy_header.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define ADDRESSES "\xc0\0\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb"
#define BYTES(s)  { s, sizeof(s) - 1 }

static void good_headers_are_read_to_their_end(void **state)
{
	(void)state;
	static const struct {
		struct str bytes;
		const char *source; /* NULL: the proxy itself */
		uint16_t port;
		bool tls;
	} cases[] = {
		{ BYTES("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"), "192.0.2.1", 56324,
		  false },
		{ BYTES("PROXY TCP6 2001:DB8::0:1 ::1 1 65535\r\n"), "2001:db8::1", 1, false },
		{ BYTES("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), "192.0.2.1", 1, false },
		{ BYTES("PROXY UNKNOWN\r\n"), NULL, 0, false },
		{ BYTES("PROXY UNKNOWN ffff::1 what ever 1\r\n"), NULL, 0, false },
		{ BYTES(SIGNATURE "\x21\x11\0\x0c" ADDRESSES), "192.0.2.1", 56324, false },
		{ BYTES(SIGNATURE "\x21\x11\0\x14" ADDRESSES "\x20\0\5\1\0\0\0\0"), "192.0.2.1",
		  56324, true },
		{ BYTES(SIGNATURE "\x21\x11\0\x13" ADDRESSES "\xe0\0\4sort"), "192.0.2.1", 56324,
		  false },
		{ BYTES(SIGNATURE "\x21\x21\0\x24"
				  "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
				  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x19\0\x19"),
		  "2001:db8::1", 25, false },
		{ BYTES(SIGNATURE "\x20\0\0\0"), NULL, 0, false },
		{ BYTES(SIGNATURE "\x21\0\0\0"), NULL, 0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char bytes[256] = { 0 };
		struct proxy_header h;
		size_t n = cases[i].bytes.n;
		memcpy(bytes, cases[i].bytes.p, n);
		memcpy(bytes + n, "EHLO x\r\n", 8);

		assert_int_equal(proxy_header_parse(str_of(bytes, n + 8), &h), n);
		assert_true(h.local == !cases[i].source);
		assert_true(h.tls == cases[i].tls);
		if (h.local)
			continue;
		assert_string_equal(h.source, cases[i].source);
		assert_int_equal(h.source_port, cases[i].port);
	}
}

static void every_beginning_of_a_header_asks_for_more(void **state)
{
	(void)state;
	static const struct str whole[] = {
		BYTES("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"),
		BYTES(SIGNATURE "\x21\x11\0\x0c" ADDRESSES),
	};
	struct proxy_header h;

	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		for (size_t n = 0; n < whole[i].n; n++)
			assert_int_equal(proxy_header_parse(str_sub(whole[i], 0, n), &h), 0);
}

static void anything_else_is_no_header(void **state)
{
	(void)state;
	static const struct str cases[] = {
		BYTES("EHLO client.example.org\r\n"),
		BYTES("\x16\3\1\2\0\1"),
		BYTES("PROXY\tTCP4 192.0.2.1 198.51.100.7 56324 443\r\n"),
		BYTES("PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n"),
		BYTES("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 9\r\n"),
		BYTES("PROXY TCP4 192.0.2.1 198.51.100.7 56324 65536\r\n"),
		BYTES("PROXY TCP4 192.0.2.256 198.51.100.7 56324 443\r\n"),
		BYTES("PROXY TCP6 192.0.2.1 198.51.100.7 56324 443\r\n"),
		BYTES("PROXY TCP4 192.0.2.1  198.51.100.7 56324 443\r\n"),
		BYTES("PROXY UDP4 192.0.2.1 198.51.100.7 56324 443\r\n"),
		BYTES("PROXY TCP4 1111111111111111111111111111111111111111111111111111111111111111"
		      "1111111111111111111111111111111111111111111111111111111111111111"),
		BYTES(SIGNATURE "\x11\x11\0\x0c" ADDRESSES),
		BYTES(SIGNATURE "\x22\x11\0\x0c" ADDRESSES),
		BYTES(SIGNATURE "\x21\x11\0\x0b" ADDRESSES),
		BYTES(SIGNATURE "\x21\x11\xff\xff" ADDRESSES),
		BYTES(SIGNATURE "\x21\x11\0\x0e" ADDRESSES "\1\0"),
		BYTES(SIGNATURE "\x21\x11\0\x0f" ADDRESSES "\1\0\1"),
		BYTES(SIGNATURE "\x21\x11\0\x13" ADDRESSES "\3\0\4nope"),
		BYTES(SIGNATURE "\x21\x11\0\x10" ADDRESSES "\3\0\1x"),
	};
	struct proxy_header h;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (proxy_header_parse(cases[i], &h) != -EBADMSG)
			fail_msg("case %zu is taken for a header", i);
}

/* 2.2.3 */
static void a_checksum_must_fit(void **state)
{
	(void)state;
	char bytes[] = SIGNATURE "\x21\x11\0\x13" ADDRESSES "\3\0\4\0\0\0\0";
	const size_t n = sizeof(bytes) - 1;
	uint32_t crc = crc32c(0, bytes, n);
	struct proxy_header h;

	for (size_t i = 0; i < 4; i++)
		bytes[n - 4 + i] = (char)(crc >> (24 - 8 * i));
	assert_int_equal(proxy_header_parse(str_of(bytes, n), &h), n);
	bytes[17] ^= 1;
	assert_int_equal(proxy_header_parse(str_of(bytes, n), &h), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_headers_are_read_to_their_end),
		cmocka_unit_test(every_beginning_of_a_header_asks_for_more),
		cmocka_unit_test(anything_else_is_no_header),
		cmocka_unit_test(a_checksum_must_fit),
	};
	return cmocka_run_group_tests_name("core/proxy_header", tests, NULL, NULL);
}
