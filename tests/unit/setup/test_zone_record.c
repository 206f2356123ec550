#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "setup/zone_record.h"

static void records_are_lines_of_a_zone(void **state)
{
	(void)state;
	static const struct {
		struct zone_record record;
		const char *line;
	} cases[] = {
		{ { STR_INIT("a.example"), "A", STR_INIT("192.0.2.1") },
		  "a.example.\t3600\tIN\tA\t192.0.2.1" },
		{ { STR_INIT("a.example"), "MX", STR_INIT("10 mx.a.example") },
		  "a.example.\t3600\tIN\tMX\t10 mx.a.example." },
		{ { STR_INIT("_x._tcp.a"), "SRV", STR_INIT("0 1 2 b") },
		  "_x._tcp.a.\t3600\tIN\tSRV\t0 1 2 b." },
		{ { STR_INIT("1.in-addr.arpa"), "PTR", STR_INIT("b") },
		  "1.in-addr.arpa.\t3600\tIN\tPTR\tb." },
		{ { STR_INIT("a"), "CAA", STR_INIT("0 issue \"b\"") },
		  "a.\t3600\tIN\tCAA\t0 issue \"b\"" },
		{ { STR_INIT("a"), "TXT", STR_INIT("v=x; \"y\\z\" \xff\x01") },
		  "a.\t3600\tIN\tTXT\t\"v=x; \\\"y\\\\z\\\" \\255\\001\"" },
		{ { STR_INIT("a\x1b[2J\xc2\x9b"), "MX", STR_INIT("10 b\n\x7f") },
		  "a\\027[2J\\194\\155.\t3600\tIN\tMX\t10 b\\010\\127." },
		{ { STR_INIT("a"), "TXT", STR_INIT("") }, "a.\t3600\tIN\tTXT\t\"\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf struct buf b;
		buf_init(&b, NULL, 4096);
		zone_record_write_zone(&b, &cases[i].record);
		assert_string_equal(buf_cstr(&b), cases[i].line);
	}
}

/* RFC 1035 3.3: the length of a string is one byte. */
static void long_texts_are_split_at_255_bytes(void **state)
{
	(void)state;
	static const struct {
		size_t length;
		const char *sizes;
	} cases[] = { { 254, "254" },	  { 255, "255" },	{ 256, "255 1" },
		      { 510, "255 255" }, { 511, "255 255 1" }, { 800, "255 255 255 35" } };
	static char text[1000];

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf struct buf b, sizes;
		struct str rest, word;
		buf_init(&b, NULL, 4096);
		buf_init(&sizes, NULL, 4096);
		zone_record_write_strings(&b, str_of(text, cases[i].length));
		rest = buf_str(&b);
		while (str_next_word(&rest, &word))
			buf_printf(&sizes, "%s%zu", sizes.n ? " " : "", word.n - 2);
		assert_string_equal(buf_cstr(&sizes), cases[i].sizes);
	}
}

static void sets_of_records_become_an_endpoint(void **state)
{
	(void)state;
	static const struct str texts[] = { STR_INIT("say \"x\""), STR_INIT("b\\\t"),
					    STR_INIT("\xff\xc2\x9b") };
	static const struct str hosts[] = { STR_INIT("10 mx.example") };
	const struct zone_record_set sets[] = {
		{ STR("example.org"), "TXT", texts, 3 },
		{ STR("example.org"), "MX", hosts, 1 },
	};
	auto_buf struct buf b;

	buf_init(&b, NULL, 4096);
	zone_record_write_yaml(&b, STR("Example_.org"), sets, 2);
	assert_string_equal(buf_cstr(&b), "apiVersion: externaldns.k8s.io/v1alpha1\n"
					  "kind: DNSEndpoint\n"
					  "metadata:\n"
					  "  name: posthorn-example-.org\n"
					  "spec:\n"
					  "  endpoints:\n"
					  "    - dnsName: \"example.org\"\n"
					  "      recordType: TXT\n"
					  "      recordTTL: 3600\n"
					  "      targets:\n"
					  "        - \"say \\\"x\\\"\"\n"
					  "        - \"b\\\\\\x09\"\n"
					  "        - \"\\\"\\\\255\\\\194\\\\155\\\"\"\n"
					  "    - dnsName: \"example.org\"\n"
					  "      recordType: MX\n"
					  "      recordTTL: 3600\n"
					  "      targets:\n"
					  "        - \"10 mx.example\"\n");
}

static void a_long_text_is_split_for_the_endpoint_too(void **state)
{
	(void)state;
	static char text[300];
	memset(text, 'k', sizeof(text));
	const struct str value = str_of(text, sizeof(text));
	const struct zone_record_set set = { STR("a"), "TXT", &value, 1 };
	auto_buf struct buf b;

	buf_init(&b, NULL, 4096);
	zone_record_write_yaml(&b, STR("a"), &set, 1);
	assert_true(str_find(buf_str(&b), STR("- \"\\\"kkk")) > 0);
	assert_true(str_find(buf_str(&b), STR("k\\\" \\\"k")) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_lines_of_a_zone),
		cmocka_unit_test(long_texts_are_split_at_255_bytes),
		cmocka_unit_test(sets_of_records_become_an_endpoint),
		cmocka_unit_test(a_long_text_is_split_for_the_endpoint_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
