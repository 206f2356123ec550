#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "dns/packet.h"
#include "dns/rdata.h"

/* A message is written from parts: header, question, records. */
#define HEADER(rcode, answers, authorities)                                                        \
	"\0\1\201" rcode "\0\1\0" answers "\0" authorities "\0\0"
/* a.example MX; its name is at 12, "example" at 14. */
#define QUESTION		 "\1a\7example\0\0\17\0\1"
#define FIXED(type, ttl, length) type "\0\1\0\0\0" ttl "\0" length
#define AT_A			 "\300\14"
#define AT_EXAMPLE		 "\300\16"
#define CNAME			 "\0\5"
#define MX			 "\0\17"
#define SOA			 "\0\6"

static const struct str one_mx = STR_INIT(
	HEADER("\200", "\1", "\0") QUESTION AT_A FIXED(MX, "\74", "\7") "\0\12\2mx" AT_EXAMPLE);

static void names_in_records_are_written_out(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dns_reply reply;
	struct dns_mx mx;

	assert_int_equal(dns_packet_parse(one_mx, DNS_MX, &a, &reply), 0);
	assert_int_equal(reply.status, DNS_FOUND);
	assert_int_equal(reply.count, 1);
	assert_int_equal(reply.ttl, 60);
	assert_string_equal(reply.name.p, "a.example");
	assert_int_equal(dns_mx_parse(reply.records[0].data, &a, &mx), 0);
	assert_int_equal(mx.preference, 10);
	assert_string_equal(mx.host.p, "mx.example");
}

static void a_message_that_is_cut_anywhere_is_refused(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dns_reply reply;

	for (size_t n = 0; n < one_mx.n; n++)
		assert_int_equal(dns_packet_parse(str_sub(one_mx, 0, n), DNS_MX, &a, &reply),
				 -EBADMSG);
}

static void aliases_are_followed_and_the_shortest_ttl_counts(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dns_reply reply;
	/* The records stand in no order; the alias holds for 30 s. */
	struct str packet = STR(HEADER("\200", "\2", "\0") QUESTION "\1b" AT_EXAMPLE FIXED(
		MX, "\74", "\3") "\0\12\0" AT_A FIXED(CNAME, "\36", "\4") "\1b" AT_EXAMPLE);

	assert_int_equal(dns_packet_parse(packet, DNS_MX, &a, &reply), 0);
	assert_int_equal(reply.count, 1);
	assert_int_equal(reply.ttl, 30);
	assert_string_equal(reply.name.p, "b.example");
	assert_int_equal(dns_packet_parse(packet, DNS_CNAME, &a, &reply), 0);
	assert_int_equal(reply.count, 1);
	assert_string_equal(reply.name.p, "a.example");
}

static void aliases_in_a_circle_are_refused(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dns_reply reply;

	assert_int_equal(dns_packet_parse(STR(HEADER("\200", "\1", "\0")
						      QUESTION AT_A FIXED(CNAME, "\36", "\2") AT_A),
					  DNS_MX, &a, &reply),
			 -EBADMSG);
}

static void nothing_holds_as_long_as_the_soa_says(void **state)
{
	(void)state;
	static const struct {
		const char *rcode;
		enum dns_status status;
	} cases[] = { { "\200", DNS_NODATA }, { "\203", DNS_NXDOMAIN } };
	struct str packet = STR(HEADER("\200", "\0", "\1")
					QUESTION AT_EXAMPLE FIXED(SOA, "\74", "\26") "\0\0"
										     "\0\0\0\1"
										     "\0\0\0\1"
										     "\0\0\0\1"
										     "\0\0\0\1"
										     "\0\0\0\11");
	auto_arena struct arena a = ARENA_INIT;
	struct dns_reply reply;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *copy = arena_cstr(&a, packet);
		copy[3] = cases[i].rcode[0];
		assert_int_equal(dns_packet_parse(str_of(copy, packet.n), DNS_MX, &a, &reply), 0);
		assert_int_equal(reply.status, cases[i].status);
		assert_int_equal(reply.ttl, 9);
		assert_int_equal(reply.count, 0);
	}
}

static void errors_are_no_answers(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dns_reply reply;

	assert_int_equal(
		dns_packet_parse(STR(HEADER("\202", "\0", "\0") QUESTION), DNS_MX, &a, &reply),
		-EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_records_are_written_out),
		cmocka_unit_test(a_message_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(aliases_are_followed_and_the_shortest_ttl_counts),
		cmocka_unit_test(aliases_in_a_circle_are_refused),
		cmocka_unit_test(nothing_holds_as_long_as_the_soa_says),
		cmocka_unit_test(errors_are_no_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
