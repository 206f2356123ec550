#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "mime/address.h"

/* A list as text: "name|route|local|domain" per mailbox, "{name" and "}" for a group, joined by
 * ", ". */
static const char *list_text(const struct mime_addr_list *l, struct buf *b)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct mime_addr *m = &l->items[i];
		buf_puts(b, i ? ", " : "");
		if (m->kind == MIME_ADDR_GROUP_START)
			buf_printf(b, "{%" STR_FMT, STR_ARG(m->name));
		else if (m->kind == MIME_ADDR_GROUP_END)
			buf_puts(b, "}");
		else
			buf_printf(b, "%" STR_FMT "|%" STR_FMT "|%" STR_FMT "|%" STR_FMT,
				   STR_ARG(m->name), STR_ARG(m->route), STR_ARG(m->local),
				   STR_ARG(m->domain));
	}
	return buf_cstr(b);
}

struct list_case {
	const char *value, *want;
};

static void assert_lists(const struct list_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct mime_addr_list l;
		struct buf b;
		buf_init(&b, &a, 4096);
		mime_addr_list_parse(str_from(cases[i].value), MIME_ADDR_LIMITS, &a, &l);
		assert_string_equal(list_text(&l, &b), cases[i].want);
		assert_false(l.truncated);
	}
}

static void lists_of_the_rfc_are_understood(void **state)
{
	(void)state;
	/* RFC 5322 3.4 and appendix A, RFC 6532 */
	static const struct list_case cases[] = {
		{ "John Doe <jdoe@machine.example>", "John Doe||jdoe|machine.example" },
		{ "\"Joe Q. Public\" <john.q.public@example.com>",
		  "Joe Q. Public||john.q.public|example.com" },
		{ "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
		  "Mary Smith||mary|x.test, ||jdoe|example.org, Who?||one|y.test" },
		{ "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
		  "||boss|nil.test, Giant; \"Big\" Box||sysservices|example.net" },
		{ "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
		  "{A Group, Ed Jones||c|a.test, ||joe|where.test, John||jdoe|one.test, }" },
		{ "Undisclosed recipients:;", "{Undisclosed recipients, }" },
		{ "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
		  "Pete||pete|silly.test" },
		{ "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
		  "         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end "
		  "of "
		  "the group)",
		  "{A Group, Chris Jones||c|public.example, ||joe|example.org, "
		  "John||jdoe|one.test, }" },
		{ "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
		  "{Hidden recipients, }" },
		{ "Joe Q. Public <john.q.public@example.com>",
		  "Joe Q. Public||john.q.public|example.com" },
		{ "Mary Smith <@node.test:mary@example.net>, , jdoe@test   . example",
		  "Mary Smith|@node.test|mary|example.net, ||jdoe|test.example" },
		{ "John Doe <jdoe@machine(comment).  example>", "John Doe||jdoe|machine.example" },
		{ "<@a,@b . c:d@e>", "|@a,@b.c|d|e" },
		{ "jdoe@[192.0.2.1], x@[IPv6:2001:db8::1]",
		  "||jdoe|[192.0.2.1], ||x|[IPv6:2001:db8::1]" },
		{ "J\xc3\xb6rg <j\xc3\xb6rg@b\xc3\xbc"
		  "cher.example>",
		  "J\xc3\xb6rg||j\xc3\xb6rg|b\xc3\xbc"
		  "cher.example" },
	};
	assert_lists(cases, ARRAY_LEN(cases));
}

static void broken_lists_give_what_can_be_read(void **state)
{
	(void)state;
	static const struct list_case cases[] = {
		{ "", "" },
		{ " ,, ;\r\n ", "" },
		{ "a@b (Ann Other)", "Ann Other||a|b" },
		{ "<a@b> (Ann)", "Ann||a|b" },
		{ "a@b <a@b>", "a@b||a|b" },
		{ "[List] Foo <a@b>", "[List] Foo||a|b" },
		{ "\"a@b\" <a@b>", "a@b||a|b" },
		{ "\"a b\"@c", "||a b|c" },
		{ "a@b@c", "||a@b|c" },
		{ "Ann <a@b", "Ann||a|b" },
		{ "Ann <a@b, Bob <c@d>", "Ann||a|b, Bob||c|d" },
		{ "Ann <a@b> Bob <c@d>", "Ann||a|b, Bob||c|d" },
		{ "<<a@b>>", "||a|b" },
		{ "Ann <>", "Ann|||" },
		{ "a@b; c@d", "||a|b, ||c|d" },
		{ "undisclosed recipients", "||undisclosed recipients|" },
		{ "Ann <nobody>", "Ann||nobody|" },
		{ "@b", "|||b" },
		{ "g: a@b", "{g, ||a|b, }" },
		{ "g: h: a@b;", "{g, ||h:a|b, }" },
		{ "a@b:25, c@d", "||a|b:25, ||c|d" },
		{ "\"open, a@b", "||open, a@b|" },
		{ "(open, a@b", "" },
		{ "\"a\\", "||a\\|" },
		{ "=?utf-8?Q?J=C3=B6rg?= <j@x>", "=?utf-8?Q?J=C3=B6rg?=||j|x" },
		{ "\"a\tb\r\n c\x01\" <j@x>", "a b c||j|x" },
	};
	assert_lists(cases, ARRAY_LEN(cases));
}

static void limits_cut_the_list_and_close_its_group(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		struct mime_addr_limits limits;
		const char *want;
	} cases[] = {
		{ "a@b, c@d, e@f", { 2, 100 }, "||a|b, ||c|d" },
		{ "g: a@b, c@d, e@f;", { 3, 100 }, "{g, ||a|b, }" },
		{ "a@b, g: c@d;", { 2, 100 }, "||a|b" },
		{ "a@b, c@d", { 9, 4 }, "||a|b" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct mime_addr_list l;
		struct buf b;
		buf_init(&b, &a, 4096);
		mime_addr_list_parse(str_from(cases[i].value), cases[i].limits, &a, &l);
		assert_string_equal(list_text(&l, &b), cases[i].want);
		assert_true(l.truncated);
	}
}

/* Three megabytes that a careless parser would search again from every element. */
static void hostile_lists_cost_linear_time(void **state)
{
	(void)state;
	static const char *const units[] = { "<@a,", "(", "\"", "<", "@", "g:", "a<b \"c" };
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct mime_addr_list l;
		struct buf b;
		buf_init(&b, &a, 4 << 20);
		while (b.n < 3 << 20)
			buf_puts(&b, units[i]);
		mime_addr_list_parse(buf_str(&b), (struct mime_addr_limits){ 1000, 4 << 20 }, &a,
				     &l);
		assert_true(l.n <= 1000);
	}
}

static void a_bare_address_is_strict(void **state)
{
	(void)state;
	static const struct {
		const char *text, *local, *domain;
	} good[] = {
		{ "a@b", "a", "b" },
		{ "a.b+c@d.example", "a.b+c", "d.example" },
		{ "\"a b\\\"@\"@c", "a b\"@", "c" },
		{ "a@[192.0.2.1]", "a", "[192.0.2.1]" },
		{ "\xc3\xa4@\xc3\xb6", "\xc3\xa4", "\xc3\xb6" },
	};
	static const char *const bad[] = {
		"",	"a",	  "@b",	   "a@",       "a@b@c",	 "a b@c",   "a@b c",	  ".a@b",
		"a.@b", "a..b@c", "a@.b",  "a@b.",     "a@[b",	 "a@[]",    "<a@b>",	  "a@b ",
		" a@b", "\"a@b",  "\"a\"", "a\"b\"@c", "(x)a@b", "a\xff@b", "\"a\nb\"@c", "\"a\\",
	};
	auto_arena struct arena a = ARENA_INIT;
	struct mime_addr_spec spec;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(mime_addr_spec_parse(str_from(good[i].text), &a, &spec), 0);
		assert_true(str_eq(spec.local, str_from(good[i].local)));
		assert_true(str_eq(spec.domain, str_from(good[i].domain)));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (mime_addr_spec_parse(str_from(bad[i]), &a, &spec) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
}

static void names_and_local_parts_are_quoted_when_they_must_be(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 256);
	mime_addr_name_write(&b, STR("Ann Other"));
	mime_addr_name_write(&b, STR("Other, \"Ann\""));
	mime_addr_name_write(&b, STR("a\r\nBcc: x"));
	mime_addr_local_write(&b, STR("a.b"));
	mime_addr_local_write(&b, STR("a..b"));
	mime_addr_local_write(&b, STR(""));
	assert_string_equal(buf_cstr(&b),
			    "Ann Other\"Other, \\\"Ann\\\"\"\"a  Bcc: x\"a.b\"a..b\"\"\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_the_rfc_are_understood),
		cmocka_unit_test(broken_lists_give_what_can_be_read),
		cmocka_unit_test(limits_cut_the_list_and_close_its_group),
		cmocka_unit_test(hostile_lists_cost_linear_time),
		cmocka_unit_test(a_bare_address_is_strict),
		cmocka_unit_test(names_and_local_parts_are_quoted_when_they_must_be),
	};
	return cmocka_run_group_tests_name("mime/address", tests, NULL, NULL);
}
