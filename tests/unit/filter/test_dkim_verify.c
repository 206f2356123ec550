#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "filter/dkim_verify.h"
#include "mime/header.h"

#define NOW 1600000000

#define RSA_KEY                                                                                    \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi" \
	"Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZy" \
	"VYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
#define ED_KEY "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define A_KEY                                                                                      \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkM"                         \
	"oGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/R"                         \
	"tdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToI"                         \
	"MmPSPDdQPNUYckcQ2QIDAQAB"

/* RFC 6376 A.2 with errata 3192 and 4926. */
static const char example_a[] = "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n"
				"      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n"
				"      h=Received : From : To : Subject : Date : Message-ID;\r\n"
				"      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
				"      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r\n"
				"        4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r\n"
				"        KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r\n"
				"        4bmp/YzhwvcubU4=;\r\n"
				"Received: from client1.football.example.com  [192.0.2.1]\r\n"
				"      by submitserver.example.com with SUBMISSION;\r\n"
				"      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n"
				"From: Joe SixPack <joe@football.example.com>\r\n"
				"To: Suzie Q <suzie@shopping.example.net>\r\n"
				"Subject: Is dinner ready?\r\n"
				"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
				"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
				"\r\n"
				"Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n";

/* RFC 8463 A.3 */
static const char example_8463[] =
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
	" d=football.example.com; i=@football.example.com;\r\n"
	" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
	" subject : date : message-id : from : subject : date;\r\n"
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
	" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
	" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
	" d=football.example.com; i=@football.example.com;\r\n"
	" q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
	" date : message-id : from : subject : date;\r\n"
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
	" b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
	" DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
	" dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
	"From: Joe SixPack <joe@football.example.com>\r\n"
	"To: Suzie Q <suzie@shopping.example.net>\r\n"
	"Subject: Is dinner ready?\r\n"
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
	"\r\n"
	"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

struct record {
	const char *name, *text;
};

static const struct record records[] = {
	{ "brisbane._domainkey.example.com", "v=DKIM1; p=" A_KEY },
	{ "brisbane._domainkey.football.example.com", "v=DKIM1; k=ed25519; p=" ED_KEY },
	{ "test._domainkey.football.example.com", "v=DKIM1; k=rsa; p=" RSA_KEY },
};

struct checked {
	struct arena arena;
	struct dkim_verifier v;
};

static void find_key(struct checked *c, struct dkim_signature *s, const char *other)
{
	if (s->result != DKIM_NONE)
		return;
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		if (!str_eq(s->key_name, str_from(records[i].name)))
			continue;
		struct str text = str_from(other ? other : records[i].text);
		dkim_verify_key(&c->v, s, &text, 1);
	}
}

/* `record` takes the place of what the DNS says. */
static void check_message(struct checked *c, struct str message, int64_t now, const char *record)
{
	size_t header = mime_header_size(message);

	arena_init(&c->arena);
	assert_int_equal(dkim_verify_begin(&c->v, str_sub(message, 0, header), now, &c->arena), 0);
	dkim_verify_body(&c->v, str_skip(message, header));
	dkim_verify_body_end(&c->v);
	for (size_t i = 0; i < c->v.n; i++)
		find_key(c, &c->v.v[i], record);
}

static void end(struct checked *c)
{
	dkim_verify_done(&c->v);
	arena_done(&c->arena);
}

static void examples_of_the_rfcs_pass(void **state)
{
	(void)state;
	struct checked c;

	check_message(&c, str_from(example_a), NOW, NULL);
	assert_int_equal(c.v.n, 1);
	assert_int_equal(c.v.v[0].result, DKIM_PASS);
	assert_int_equal(c.v.v[0].bits, 1024);
	end(&c);
	check_message(&c, str_from(example_8463), NOW, NULL);
	assert_int_equal(c.v.n, 2);
	assert_int_equal(c.v.v[0].result, DKIM_PASS);
	assert_int_equal(c.v.v[1].result, DKIM_PASS);
	end(&c);
}

/* The first occurrence of `from` in the example becomes `to`. */
struct change {
	const char *from, *to;
	enum dkim_result result;
	const char *reason;
};

static void apply(const char *message, const struct change *change, struct buf *out)
{
	struct str m = str_from(message), from = str_from(change->from);
	ssize_t at = str_find(m, from);

	assert_true(at >= 0);
	buf_init(out, NULL, 65536);
	buf_put_str(out, str_sub(m, 0, (size_t)at));
	buf_puts(out, change->to);
	buf_put_str(out, str_skip(m, (size_t)at + from.n));
}

static void assert_changes(const char *message, const struct change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct checked c;
		auto_buf struct buf b;
		apply(message, &changes[i], &b);
		check_message(&c, buf_str(&b), NOW, NULL);
		if (c.v.v[0].result != changes[i].result)
			print_error("%s -> %s\n", changes[i].from, changes[i].to);
		assert_int_equal(c.v.v[0].result, changes[i].result);
		if (changes[i].reason)
			assert_string_equal(c.v.v[0].reason, changes[i].reason);
		end(&c);
	}
}

static void a_changed_message_does_not_pass(void **state)
{
	(void)state;
	static const struct change changes[] = {
		{ "hungry", "hungrY", DKIM_FAIL, "body hash differs" },
		{ "dinner", "supper", DKIM_FAIL, "signature does not match" },
		{ "Hi.", "Hi. ", DKIM_PASS, NULL },
		{ "Joe.\r\n", "Joe.\r\n\r\n\r\n", DKIM_PASS, NULL },
		{ "Joe.\r\n", "Joe.", DKIM_PASS, NULL },
		{ "Joe.\r\n", "Joe.\r\nBuy!\r\n", DKIM_FAIL, "body hash differs" },
		{ "Subject: Is", "SUBJECT:  Is\r\n ", DKIM_PASS, NULL },
		/* h= names From twice: nobody may add one. */
		{ "From: Joe", "From: eve@example.net\r\nFrom: Joe", DKIM_FAIL, NULL },
		{ "To: Suzie", "X-New: 1\r\nTo: Suzie", DKIM_PASS, NULL },
		{ "b=/gC", "b=/gD", DKIM_FAIL, "signature does not match" },
	};

	assert_changes(example_8463, changes, ARRAY_LEN(changes));
}

static void tags_are_checked_before_the_key(void **state)
{
	(void)state;
	static const struct change changes[] = {
		{ "v=1;", "v=2;", DKIM_NEUTRAL, "unknown version" },
		{ "v=1;", "v=1; v=1;", DKIM_NEUTRAL, "syntax error" },
		{ "a=rsa-sha256", "a=rsa-sha1", DKIM_POLICY, "rsa-sha1 is not accepted any more" },
		{ "a=rsa-sha256", "a=dsa-sha256", DKIM_NEUTRAL, "unknown algorithm" },
		{ "a=rsa-sha256", "a=ed25519-sha256", DKIM_PERMERROR, "key is of another type" },
		{ "simple/simple", "simple/nofws", DKIM_NEUTRAL, "unknown canonicalization" },
		{ "simple/simple", "simple", DKIM_FAIL, "signature does not match" },
		{ "q=dns/txt", "q=dns", DKIM_PERMERROR, "unknown query method" },
		{ "i=joe@football.example.com", "i=joe@example.org", DKIM_PERMERROR,
		  "i= is not below d=" },
		{ "i=joe@football.example.com", "i=joe@badexample.com", DKIM_PERMERROR,
		  "i= is not below d=" },
		{ "i=joe@football.example.com", "i=joe", DKIM_NEUTRAL, "i= is no address" },
		{ "Received : From :", "Received :", DKIM_PERMERROR, "From is not signed" },
		{ "h=Received : From : To : Subject : Date : Message-ID;", "", DKIM_PERMERROR,
		  "h= is missing" },
		{ "d=example.com", "d=a..b", DKIM_NEUTRAL, "d= or s= is no name" },
		{ "s=brisbane", "s=a b", DKIM_NEUTRAL, "d= or s= is no name" },
		{ "bh=2j", "bh=!", DKIM_NEUTRAL, "bh= is no base64" },
		{ "bh=2j", "l=9999; bh=2j", DKIM_PERMERROR, "l= is more than there is" },
		{ "bh=2j", "l=x; bh=2j", DKIM_NEUTRAL, "l= is no number" },
		{ "bh=2j", "x=1599999999; bh=2j", DKIM_POLICY, "signature has expired" },
		{ "bh=2j", "t=5; x=4; bh=2j", DKIM_PERMERROR, "x= is before t=" },
		{ "bh=2j", "t=1700000000; bh=2j", DKIM_POLICY, "signature is from the future" },
	};

	assert_changes(example_a, changes, ARRAY_LEN(changes));
}

/* What stands behind the signed part may be all that is shown. */
static void a_length_that_leaves_something_out_does_not_pass(void **state)
{
	(void)state;
	/* The hash is that of the first five bytes of the body: "Hi.", CR, LF. */
	static const struct change change = {
		"bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=",
		"l=5; bh=UrA8rmgY3eNBotmDWtzAmHyn5RyZv8Gea45sNGsP0zw=", DKIM_POLICY,
		"l= leaves a part of the body unsigned"
	};

	assert_changes(example_a, &change, 1);
}

static void key_records_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *record;
		enum dkim_result result;
	} cases[] = {
		{ "p=" A_KEY, DKIM_PASS },
		{ "v=DKIM1; h=sha1:sha256; s=*; t=y; n=note; p=" A_KEY, DKIM_PASS },
		{ "v=DKIM1; s=tlsrpt:email; p=" A_KEY ";", DKIM_PASS },
		{ "v=DKIM1; p=", DKIM_PERMERROR },
		{ "v=DKIM1", DKIM_PERMERROR },
		{ "v=DKIM2; p=" A_KEY, DKIM_PERMERROR },
		{ "p=" A_KEY "; v=DKIM1", DKIM_PERMERROR },
		{ "h=sha1; p=" A_KEY, DKIM_PERMERROR },
		{ "s=tlsrpt; p=" A_KEY, DKIM_PERMERROR },
		{ "t=s; p=" A_KEY, DKIM_PERMERROR },
		{ "k=dsa; p=" A_KEY, DKIM_PERMERROR },
		{ "k=ed25519; p=" A_KEY, DKIM_PERMERROR },
		{ "k=ed25519; p=" ED_KEY, DKIM_PERMERROR },
		{ "p=AAAA", DKIM_PERMERROR },
		{ "p=!!!!", DKIM_PERMERROR },
		{ "v=spf1 -all", DKIM_PERMERROR },
		{ "p=" RSA_KEY, DKIM_FAIL },
		/* 512 bits */
		{ "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALRKrswyOixe9OZvxN28s7y64a3lu+MP"
		  "zK/hGT0lfhoxifptvbLZXkOhdXFFGyCnZyCmacydYt9Ro5P3CyHfVGsCAwEAAQ==",
		  DKIM_POLICY },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct checked c;
		check_message(&c, str_from(example_a), NOW, cases[i].record);
		if (c.v.v[0].result != cases[i].result)
			print_error("%s\n", cases[i].record);
		assert_int_equal(c.v.v[0].result, cases[i].result);
		end(&c);
	}
}

static void one_good_record_of_several_is_enough(void **state)
{
	(void)state;
	struct checked c;
	const struct str both[] = { STR("v=spf1 -all"), STR("p=" A_KEY) };

	check_message(&c, str_from(example_a), NOW, "p=");
	c.v.v[0].result = DKIM_NONE;
	dkim_verify_key(&c.v, &c.v.v[0], both, 2);
	assert_int_equal(c.v.v[0].result, DKIM_PASS);
	end(&c);
}

static void signatures_beyond_the_limit_are_not_looked_at(void **state)
{
	(void)state;
	auto_buf struct buf b;
	struct checked c;

	buf_init(&b, NULL, 100000);
	for (int i = 0; i < 20; i++)
		buf_printf(&b,
			   "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=a; h=from; l=%d;"
			   " bh=AAAA; b=AAAA\r\n",
			   i);
	buf_puts(&b, "\r\nHi.\r\n");
	check_message(&c, buf_str(&b), NOW, NULL);
	assert_int_equal(c.v.n, DKIM_SIGNATURES_MAX);
	assert_int_equal(c.v.ignored, 20 - DKIM_SIGNATURES_MAX);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_rfcs_pass),
		cmocka_unit_test(a_changed_message_does_not_pass),
		cmocka_unit_test(tags_are_checked_before_the_key),
		cmocka_unit_test(a_length_that_leaves_something_out_does_not_pass),
		cmocka_unit_test(key_records_are_read),
		cmocka_unit_test(one_good_record_of_several_is_enough),
		cmocka_unit_test(signatures_beyond_the_limit_are_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
