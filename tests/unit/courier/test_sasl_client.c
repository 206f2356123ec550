#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "courier/sasl_client.h"

#define EXPECT_STEP(x, challenge, wanted)                                                          \
	do {                                                                                       \
		auto_buf struct buf out_;                                                          \
		buf_init(&out_, NULL, SASL_CLIENT_MESSAGE_MAX);                                    \
		assert_int_equal(sasl_client_step((x), STR(challenge), &out_), 0);                 \
		if (!str_eq(buf_str(&out_), STR(wanted)))                                          \
			fail_msg("%.*s", (int)out_.n, out_.p);                                     \
	} while (0)

static int refused(struct sasl_client *x, struct str challenge)
{
	auto_buf struct buf out;

	buf_init(&out, NULL, SASL_CLIENT_MESSAGE_MAX);
	return sasl_client_step(x, challenge, &out);
}

/* RFC 7677 3 */
static struct sasl_client of_rfc_7677(void)
{
	struct sasl_client x = { .mechanism = COURIER_AUTH_SCRAM_SHA_256,
				 .user = STR("user"),
				 .password = STR("pencil") };

	snprintf(x.nonce, sizeof(x.nonce), "rOprNGfwEbeRWgbNEkqO");
	return x;
}

static void the_example_of_rfc_7677(void **state)
{
	(void)state;
	struct sasl_client x = of_rfc_7677();

	EXPECT_STEP(&x, "", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
	EXPECT_STEP(&x,
		    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
	assert_false(sasl_client_is_complete(&x));
	EXPECT_STEP(&x, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "");
	assert_true(sasl_client_is_complete(&x));
	assert_int_equal(refused(&x, STR("")), -EPROTO);
	sasl_client_done(&x);
}

static void a_server_that_does_not_play_by_the_rules_is_refused(void **state)
{
	(void)state;
	static const struct str firsts[] = {
		STR_INIT(""),
		STR_INIT("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
		STR_INIT("r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
		STR_INIT("r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096"),
		STR_INIT("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0"),
		STR_INIT("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001"),
		STR_INIT("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ=="),
		STR_INIT("m=x,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1"),
	};

	for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
		struct sasl_client x = of_rfc_7677();
		EXPECT_STEP(&x, "", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
		if (refused(&x, firsts[i]) != -EPROTO)
			fail_msg("%zu", i);
		sasl_client_done(&x);
	}
}

static void the_channel_is_bound_and_a_downgrade_shows(void **state)
{
	(void)state;
	struct sasl_client x = of_rfc_7677();

	x.binding_type = "tls-exporter";
	x.binding = STR("binding");
	EXPECT_STEP(&x, "", "y,,n=user,r=rOprNGfwEbeRWgbNEkqO");
	sasl_client_done(&x);

	x = of_rfc_7677();
	x.binding_type = "tls-exporter";
	x.binding = STR("binding");
	x.plus_offered = true;
	x.mechanism = COURIER_AUTH_SCRAM_SHA_256_PLUS;
	x.user = STR("a,b=c");
	EXPECT_STEP(&x, "", "p=tls-exporter,,n=a=2Cb=3Dc,r=rOprNGfwEbeRWgbNEkqO");
	sasl_client_done(&x);
}

static void simple_mechanisms_say_what_their_documents_say(void **state)
{
	(void)state;
	struct sasl_client x = { .mechanism = COURIER_AUTH_PLAIN,
				 .user = STR("tim"),
				 .password = STR("tanstaaftanstaaf") };

	EXPECT_STEP(&x, "", "\0tim\0tanstaaftanstaaf");
	assert_int_equal(refused(&x, STR("again")), -EPROTO);
	x = (struct sasl_client){ .mechanism = COURIER_AUTH_LOGIN,
				  .user = STR("tim"),
				  .password = STR("p") };
	EXPECT_STEP(&x, "User Name", "tim");
	EXPECT_STEP(&x, "Password", "p");
	/* RFC 2195 2 */
	x = (struct sasl_client){ .mechanism = COURIER_AUTH_CRAM_MD5,
				  .user = STR("tim"),
				  .password = STR("tanstaaftanstaaf") };
	EXPECT_STEP(&x, "<1896.697170952@postoffice.reston.mci.net>",
		    "tim b913a602c7eda7a495b4e6e7334d3890");
	x = (struct sasl_client){ .mechanism = COURIER_AUTH_XOAUTH2,
				  .user = STR("u"),
				  .password = STR("token") };
	EXPECT_STEP(&x, "", "user=u\1auth=Bearer token\1\1");
	EXPECT_STEP(&x, "{}", "");
	assert_int_equal(refused(&x, STR("{}")), -EPROTO);
}

static void the_strongest_is_chosen_and_nothing_weak_without_tls(void **state)
{
	(void)state;
	unsigned all = COURIER_AUTH_PLAIN | COURIER_AUTH_LOGIN | COURIER_AUTH_CRAM_MD5 |
		       COURIER_AUTH_SCRAM_SHA_256 | COURIER_AUTH_SCRAM_SHA_256_PLUS;
	unsigned weak = COURIER_AUTH_PLAIN | COURIER_AUTH_LOGIN | COURIER_AUTH_XOAUTH2;

	assert_int_equal(sasl_client_choose(all, true, true), COURIER_AUTH_SCRAM_SHA_256_PLUS);
	assert_int_equal(sasl_client_choose(all, true, false), COURIER_AUTH_SCRAM_SHA_256);
	assert_int_equal(sasl_client_choose(all, false, false), COURIER_AUTH_SCRAM_SHA_256);
	assert_int_equal(sasl_client_choose(weak, true, true), COURIER_AUTH_PLAIN);
	assert_int_equal(sasl_client_choose(weak, false, false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_rfc_7677),
		cmocka_unit_test(a_server_that_does_not_play_by_the_rules_is_refused),
		cmocka_unit_test(the_channel_is_bound_and_a_downgrade_shows),
		cmocka_unit_test(simple_mechanisms_say_what_their_documents_say),
		cmocka_unit_test(the_strongest_is_chosen_and_nothing_weak_without_tls),
	};
	return cmocka_run_group_tests_name("courier/sasl_client", tests, NULL, NULL);
}
