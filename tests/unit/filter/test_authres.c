#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filter/arc.h"
#include "filter/authres.h"
#include "filter/dkim_verify.h"
#include "filter/dmarc.h"
#include "filter/spf.h"

static void what_peers_said_is_quoted(void **state)
{
	(void)state;
	auto_buf struct buf b;
	struct dkim_verifier dkim = { .n = 2 };
	const struct spf_answer spf = { .result = SPF_PERMERROR,
					.reason = "more than one record",
					.domain = STR("a b;\r\nX: y\"\\") };
	const struct dmarc_answer dmarc = { .result = DMARC_NONE };
	const struct arc_chain arc = { .result = ARC_FAIL, .reason = "a field is missing" };
	const struct authres r = { STR("mx.example.org"),
				   &dkim,
				   &arc,
				   &spf,
				   &dmarc,
				   STR("b\xc3\xbc"
				       "cher.example"),
				   STR("2001:db8::1"),
				   STR("mx.example.net"),
				   FILTER_IPREV_PASS };

	dkim.v[0] = (struct dkim_signature){ .result = DKIM_NEUTRAL, .reason = "syntax error" };
	dkim.v[1] = (struct dkim_signature){ .result = DKIM_PASS,
					     .bits = 2048,
					     .domain = STR("example.org"),
					     .selector = STR("s"),
					     .key_name = STR("s._domainkey.example.org"),
					     .b = STR("abcdefghijkl") };
	buf_init(&b, NULL, 4096);
	authres_write(&b, &r);
	assert_string_equal(buf_cstr(&b),
			    "mx.example.org;\r\n"
			    "\tdkim=neutral reason=\"syntax error\";\r\n"
			    "\tdkim=pass (2048-bit key) header.d=example.org header.s=s"
			    " header.a=rsa-sha256 header.b=abcdefgh;\r\n"
			    "\tspf=permerror reason=\"more than one record\""
			    " smtp.mailfrom=\"a b;??X: y\\\"\\\\\";\r\n"
			    "\tarc=fail reason=\"a field is missing\""
			    " smtp.remote-ip=\"2001:db8::1\";\r\n"
			    "\tdmarc=none header.from=\"b\xc3\xbc"
			    "cher.example\";\r\n"
			    "\tiprev=pass policy.iprev=\"2001:db8::1\" (mx.example.net)");
}

static void nothing_is_said_of_what_was_not_checked(void **state)
{
	(void)state;
	auto_buf struct buf b;
	const struct dkim_verifier dkim = { .n = 0 };
	const struct authres r = { .server = STR("mx.example.org"), .dkim = &dkim };

	buf_init(&b, NULL, 4096);
	authres_write(&b, &r);
	assert_string_equal(buf_cstr(&b), "mx.example.org;\r\n\tdkim=none");
}

static void a_name_cannot_leave_its_comment(void **state)
{
	(void)state;
	auto_buf struct buf b;
	const struct dkim_verifier dkim = { .n = 0 };
	const struct authres r = { .server = STR("mx.example.org"),
				   .dkim = &dkim,
				   .client_address = STR("192.0.2.1"),
				   .client_name = STR("a.example) dmarc=pass (b"),
				   .iprev = FILTER_IPREV_PASS };

	buf_init(&b, NULL, 4096);
	authres_write(&b, &r);
	assert_string_equal(buf_cstr(&b), "mx.example.org;\r\n\tdkim=none;\r\n"
					  "\tiprev=pass policy.iprev=192.0.2.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_peers_said_is_quoted),
		cmocka_unit_test(nothing_is_said_of_what_was_not_checked),
		cmocka_unit_test(a_name_cannot_leave_its_comment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
