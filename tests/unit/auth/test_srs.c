#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/srs.h"
#include "base/arena.h"
#include "base/err.h"

#define DAY_S 86400

/* When Debian's postsrsd 1.10 was asked for the addresses below, with these keys. */
#define THEN 1795691537

static const char keys[] = "first+key/AAAA\nolder-key\n";

static struct srs srs_with(const char *secrets)
{
	struct srs s = { .domain = STR("ours.example"),
			 .exclude = STR("friend.example, .sub.example") };
	struct err err;

	assert_int_equal(srs_set_secrets(&s, str_from(secrets), &err), 0);
	return s;
}

static const struct {
	const char *sender, *rewritten;
} vectors[] = {
	{ "alice@example.net", "SRS0=eBn9=JP=example.net=alice@ours.example" },
	{ "Alice.B+tag@Example.NET", "SRS0=1ahs=JP=Example.NET=Alice.B+tag@ours.example" },
	{ "SRS0=abcd=AB=x.org=bob@fwd.example",
	  "SRS1=NLGV=fwd.example==abcd=AB=x.org=bob@ours.example" },
	{ "SRS0+abcd=AB=x.org=bob@fwd.example",
	  "SRS1=qJ0+=fwd.example=+abcd=AB=x.org=bob@ours.example" },
	{ "SRS1=wxyz=first.example==abcd=AB=x.org=bob@fwd.example",
	  "SRS1=0zSe=first.example==abcd=AB=x.org=bob@ours.example" },
};

static void addresses_are_those_of_postsrsd(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct srs s = srs_with(keys);
	(void)state;

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct str out;
		assert_int_equal(srs_forward(&s, str_from(vectors[i].sender), THEN, &a, &out), 0);
		assert_string_equal(arena_cstr(&a, out), vectors[i].rewritten);
	}
}

static const char *back(const struct srs *s, const char *address, int64_t now, struct arena *a)
{
	struct str out;
	int r = srs_reverse(s, str_from(address), now, a, &out);

	return r == -ENOENT	    ? "none"
	       : r == -EKEYREJECTED ? "forged"
	       : r == -ETIME	    ? "old"
				    : arena_cstr(a, out);
}

static void reports_find_the_way_back(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct srs s = srs_with("new\nfirst+key/AAAA");
	(void)state;

	assert_string_equal(back(&s, vectors[1].rewritten, THEN, &a), vectors[1].sender);
	assert_string_equal(back(&s, vectors[2].rewritten, THEN, &a), vectors[2].sender);
	assert_string_equal(back(&s, vectors[3].rewritten, THEN, &a), vectors[3].sender);
	assert_string_equal(back(&s, vectors[4].rewritten, THEN, &a),
			    "SRS0=abcd=AB=x.org=bob@first.example");
	/* Servers on the way fold case. */
	assert_string_equal(back(&s, "srs0=EBN9=jp=EXAMPLE.net=ALICE@OURS.example", THEN, &a),
			    "ALICE@EXAMPLE.net");
}

static void what_was_not_made_here_leads_nowhere(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct srs s = srs_with(keys), other = srs_with("another");
	(void)state;

	assert_string_equal(back(&other, vectors[0].rewritten, THEN, &a), "forged");
	assert_string_equal(back(&s, "SRS0=eBn9=JP=example.net=mallory@ours.example", THEN, &a),
			    "forged");
	assert_string_equal(back(&s, "SRS0=eBn9=JP=example.net=@ours.example", THEN, &a), "forged");
	assert_string_equal(back(&s, "SRS0=eBn9@ours.example", THEN, &a), "forged");
	assert_string_equal(back(&s, "SRS0=====@ours.example", THEN, &a), "forged");
	assert_string_equal(back(&s, "SRS1=abcd=@ours.example", THEN, &a), "forged");
	assert_string_equal(back(&s, "SRS0=@ours.example", THEN, &a), "none");
	assert_string_equal(back(&s, "SRS2=a=b@ours.example", THEN, &a), "none");
	assert_string_equal(back(&s, "alice@ours.example", THEN, &a), "none");
	assert_string_equal(back(&s, "SRS0=eBn9=JP=example.net=alice@other.example", THEN, &a),
			    "none");
}

static void an_address_is_good_for_three_weeks(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct srs s = srs_with(keys);
	struct str out;
	(void)state;

	assert_string_equal(back(&s, vectors[0].rewritten, THEN + 21 * DAY_S, &a),
			    "alice@example.net");
	assert_string_equal(back(&s, vectors[0].rewritten, THEN + 22 * DAY_S, &a), "old");
	/* Made tomorrow, by a clock that is ahead. */
	assert_string_equal(back(&s, vectors[0].rewritten, THEN - DAY_S, &a), "old");
	/* The count of days begins again. */
	assert_int_equal(srs_forward(&s, STR("a@b.example"), 1023 * DAY_S, &a, &out), 0);
	assert_string_equal(back(&s, arena_cstr(&a, out), 1030 * DAY_S, &a), "a@b.example");
}

static void own_and_excluded_domains_stay_as_they_are(void **state)
{
	struct srs s = srs_with(keys), off = { 0 };
	(void)state;

	assert_true(srs_applies(&s, STR("a@example.net")));
	assert_true(srs_applies(&s, STR("a@sub.example")));
	assert_false(srs_applies(&s, STR("a@x.SUB.example")));
	assert_false(srs_applies(&s, STR("a@Friend.example")));
	assert_false(srs_applies(&s, STR("a@OURS.example")));
	assert_false(srs_applies(&s, STR("")));
	assert_false(srs_applies(&off, STR("a@example.net")));
}

static void keys_are_lines_or_between_commas(void **state)
{
	struct srs s = { 0 };
	struct err err;
	(void)state;

	assert_int_equal(srs_set_secrets(&s, STR(" a ,, b\n\n c"), &err), 0);
	assert_int_equal(s.secret_count, 3);
	assert_true(str_eq(s.secrets[2], STR("c")));
	assert_int_equal(srs_set_secrets(&s, STR(" \n,"), &err), -ENODATA);
	assert_int_equal(srs_set_secrets(&s, STR("1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g,h"), &err),
			 -E2BIG);
}

static void what_grows_too_long_is_refused(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct srs s = srs_with(keys);
	char sender[300];
	struct str out;
	(void)state;

	memset(sender, 'x', sizeof(sender));
	memcpy(sender + 240, "@example.net", 13);
	assert_int_equal(srs_forward(&s, str_from(sender), THEN, &a, &out), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_those_of_postsrsd),
		cmocka_unit_test(reports_find_the_way_back),
		cmocka_unit_test(what_was_not_made_here_leads_nowhere),
		cmocka_unit_test(an_address_is_good_for_three_weeks),
		cmocka_unit_test(own_and_excluded_domains_stay_as_they_are),
		cmocka_unit_test(keys_are_lines_or_between_commas),
		cmocka_unit_test(what_grows_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
