#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "setup/explain_trace.h"

#define SERVER STR("mail.example.test")

static struct arena memory;

static void assert_str(struct str s, const char *expected)
{
	assert_string_equal(arena_cstr(&memory, s), expected);
}

static struct explain_trace read(const char *text)
{
	struct explain_trace t;

	explain_trace_read(str_from(text), SERVER, &memory, &t);
	return t;
}

#define RECEIVED                                                                                   \
	"Received: from mx.sender.example (host.example [192.0.2.7])\r\n"                          \
	"\t(using TLSv1.3 with cipher X (256 bits))\r\n"                                           \
	"\tby mail.example.test (Posthorn) with ESMTPS id 6D4RJ453MWP00\r\n"                       \
	"\tfor <b@example.test>;\r\n\tThu, 26 Nov 2026 12:00:00 +0000\r\n"

static void what_we_wrote_on_top_is_read(void **state)
{
	(void)state;
	static const char ours[] =
		"Return-Path: <a@sender.example>\r\nDelivered-To: b@example.test\r\n"
		"Authentication-Results: mail.example.test;\r\n\tdkim=pass\r\n"
		"Authentication-Results: other.example; dkim=fail\r\n"
		"Received-SPF: pass (x)\r\n" RECEIVED;
	struct str text = arena_printf(&memory,
				       "%sAuthentication-Results: mail.example.test; x\r\n"
				       "From: a@b\r\n\r\n",
				       ours);
	struct explain_trace t;

	explain_trace_read(text, SERVER, &memory, &t);
	assert_true(t.ours && t.has_sender && !t.submitted);
	assert_str(t.client_address, "192.0.2.7");
	assert_str(t.helo, "mx.sender.example");
	assert_str(t.sender, "a@sender.example");
	assert_str(t.id, "6D4RJ453MWP00");
	assert_int_equal(t.size, sizeof(ours) - 1);
	assert_int_equal(t.result_count, 2);
	assert_str(t.results[0], "Authentication-Results: mail.example.test; dkim=pass");
	assert_str(t.results[1], "Received-SPF: pass (x)");
}

static void other_forms_of_received(void **state)
{
	(void)state;
	struct explain_trace t =
		read("Return-Path: <>\r\nReceived: from h (unknown [IPv6:2001:db8::1])"
		     " by MAIL.example.test (Posthorn) with SMTP id X; date\r\n");
	assert_true(t.ours && t.has_sender);
	assert_str(t.client_address, "2001:db8::1");
	assert_str(t.sender, "");
	assert_str(t.id, "X");

	t = read("Received: by mail.example.test (Posthorn) with ESMTPSA id Y;\r\n\tdate\r\n");
	assert_true(t.ours && t.submitted && !t.has_sender);
	assert_str(t.client_address, "");
}

/* Whoever wrote the topmost line may say what he likes about us. */
static void lines_of_others_say_nothing(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"\r\nReceived: by mail.example.test (Posthorn) with SMTP id X; date\r\n",
		"Return-Path: <x@y>\r\nFrom: a@b\r\n\r\n",
		"Return-Path: <x@y>\r\nReceived: from a (b [192.0.2.1]) by other.example; "
		"x\r\n" RECEIVED,
		"Received: from a (b [192.0.2.1]) by mail.example.test (Postfix) with SMTP id X; "
		"x\r\n",
		"Received: from a (b [192.0.2.1]) by xmail.example.test (Posthorn) with SMTP id "
		"X\r\n",
		"Received: from a (xby mail.example.test (Posthorn) with SMTP id X\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct explain_trace t = read(texts[i]);
		assert_true(!t.ours && !t.has_sender && t.size == 0 && t.result_count == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_wrote_on_top_is_read),
		cmocka_unit_test(other_forms_of_received),
		cmocka_unit_test(lines_of_others_say_nothing),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	arena_done(&memory);
	return r;
}
