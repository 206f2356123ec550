#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "dns/local_names.h"

static void resolv_conf_has_servers_search_domains_and_ndots(void **state)
{
	(void)state;
	struct resolv_conf conf;

	resolv_conf_parse(STR("# made by hand\n"
			      "search old.example\n"
			      "nameserver 192.0.2.53\n"
			      "  nameserver\t2001:db8::53 ; the other\n"
			      "nameserver nonsense\n"
			      "search a.example. b.example\n"
			      "options timeout:1 ndots:5\n"
			      "sortlist 192.0.2.0\n"),
			  &conf);
	assert_int_equal(conf.server_count, 2);
	assert_string_equal(conf.servers[0].address, "192.0.2.53");
	assert_int_equal(conf.servers[0].port, 53);
	assert_string_equal(conf.servers[1].address, "2001:db8::53");
	assert_int_equal(conf.search_count, 2);
	assert_true(str_eq(conf.search[0], STR("a.example")));
	assert_int_equal(conf.ndots, 5);
}

static void resolv_conf_has_limits(void **state)
{
	(void)state;
	struct resolv_conf conf;

	resolv_conf_parse(STR("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
			      "nameserver 192.0.2.4\nsearch a b c d e f g h i\n"
			      "options ndots:99999999999 ndots:500\n"),
			  &conf);
	assert_int_equal(conf.server_count, RESOLV_SERVERS_MAX);
	assert_int_equal(conf.search_count, RESOLV_SEARCH_MAX);
	assert_int_equal(conf.ndots, RESOLV_NDOTS_MAX);
	resolv_conf_parse(STR(""), &conf);
	assert_int_equal(conf.server_count, 0);
	assert_int_equal(conf.ndots, 1);
}

static void a_name_has_the_addresses_of_all_its_lines(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t count;
	} cases[] = {
		{ "relay", 2 }, { "RELAY", 2 },	  { "relay.example", 1 },
		{ "rel", 0 },	{ "comment", 0 }, { "nothing", 0 },
		{ "", 0 },
	};
	struct str text = STR("192.0.2.1 relay.example relay # comment\n"
			      "\n"
			      "2001:db8::1\trelay\n"
			      "nonsense nothing\n"
			      "192.0.2.2\n");
	auto_arena struct arena a = ARENA_INIT;
	struct dns_address *found;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (hosts_find(text, str_from(cases[i].name), &a, &found) != cases[i].count)
			fail_msg("%s", cases[i].name);
	assert_int_equal(hosts_find(text, STR("relay"), &a, &found), 2);
	assert_int_equal(found[0].bytes.n, 4);
	assert_int_equal(found[1].bytes.n, 16);
}

static void addresses_are_told_from_names(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{ "192.0.2.1", 4 },
		{ "[192.0.2.1]", 4 },
		{ "2001:db8::1", 16 },
		{ "[IPv6:2001:db8::1]", 16 },
		{ "[", 0 },
		{ "[]", 0 },
		{ "", 0 },
		{ "1.2.3", 0 },
		{ "1.2.3.4.example", 0 },
		{ "1.2.3.4.", 0 },
		{ "256.1.1.1", 0 },
		{ "example.org", 0 },
	};
	auto_arena struct arena a = ARENA_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (address_bytes(str_from(cases[i].text), &a).n != cases[i].n)
			fail_msg("%s", cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolv_conf_has_servers_search_domains_and_ndots),
		cmocka_unit_test(resolv_conf_has_limits),
		cmocka_unit_test(a_name_has_the_addresses_of_all_its_lines),
		cmocka_unit_test(addresses_are_told_from_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
