#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "mime/param.h"

/* " name=value" or " name*=charset'language'value" for each parameter. */
static void put_params(struct buf *b, const struct mime_params *params)
{
	for (size_t i = 0; i < params->n; i++) {
		const struct mime_param *p = &params->items[i];
		buf_printf(b, " %" STR_FMT "%s=", STR_ARG(p->name), p->is_extended ? "*" : "");
		if (p->is_extended)
			buf_printf(b, "%" STR_FMT "'%" STR_FMT "'", STR_ARG(p->charset),
				   STR_ARG(p->language));
		buf_put_str(b, p->value);
	}
}

struct param_case {
	const char *value, *want; /* want == NULL: -EINVAL */
};

static void assert_types(const struct param_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct mime_content_type t;
		struct buf b;
		buf_init(&b, &a, 4096);
		int r = mime_content_type_parse(str_from(cases[i].value), &a, &t);
		assert_int_equal(r, cases[i].want ? 0 : -EINVAL);
		if (!cases[i].want)
			continue;
		buf_printf(&b, "%" STR_FMT "/%" STR_FMT, STR_ARG(t.type), STR_ARG(t.subtype));
		put_params(&b, &t.params);
		assert_string_equal(buf_cstr(&b), cases[i].want);
	}
}

static void content_types_of_the_rfcs_are_understood(void **state)
{
	(void)state;
	static const struct param_case cases[] = {
		/* RFC 2045 5.1 */
		{ "text/plain; charset=us-ascii (Plain text)", "text/plain charset=us-ascii" },
		{ "text/plain; charset=\"us-ascii\"", "text/plain charset=us-ascii" },
		{ " (a) Text (b) / (c) HTML (d) ; (e) Charset (f)", "text/html" },
		/* RFC 2231 3 and 4 */
		{ "message/external-body; access-type=URL;\r\n URL*0=\"ftp://\";\r\n"
		  " URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"",
		  "message/external-body access-type=URL "
		  "url=ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar" },
		{ "application/x-stuff;\n title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
		  "application/x-stuff title*=us-ascii'en-us'This is ***fun***" },
		{ "application/x-stuff\n ; title*0*=us-ascii'en'This%20is%20even%20more%20\n"
		  " ; title*1*=%2A%2A%2Afun%2A%2A%2A%20\n ; title*2=\"isn't it!\"",
		  "application/x-stuff title*=us-ascii'en'This is even more ***fun*** isn't it!" },
	};
	assert_types(cases, ARRAY_LEN(cases));
}

static void broken_content_types_give_what_can_be_read(void **state)
{
	(void)state;
	static const struct param_case cases[] = {
		{ "", NULL },
		{ "plain", NULL },
		{ "/plain", NULL },
		{ "multipart/", NULL },
		{ "text", "text/plain" },
		{ "text/plain charset=utf-8", "text/plain charset=utf-8" },
		{ "text/plain;;; charset = utf-8 ;", "text/plain charset=utf-8" },
		{ "text/plain; charset=a; charset=b", "text/plain charset=a" },
		{ "text/plain; =x; charset; a=b", "text/plain a=b" },
		{ "a/b; name=report (1).pdf; x=y", "a/b name=report (1).pdf x=y" },
		{ "a/b; name=two  words.doc", "a/b name=two  words.doc" },
		{ "a/b; name=\"open; x=y", "a/b name=open; x=y" },
		{ "a/b; name=\"a\\\"b\\\\c\"", "a/b name=a\"b\\c" },
		{ "a/b; name=\"a\r\n b\" junk; x=y", "a/b name=a b x=y" },
		{ "a/b; name=", "a/b name=" },
		{ "a/b; boundary==_x", "a/b boundary==_x" },
		{ "a/b; boundary=----=_Part_1", "a/b boundary=----=_Part_1" },
		/* RFC 2231 as it is met */
		{ "a/b; n*1=b; n*0=a", "a/b n=ab" },
		{ "a/b; n*0=a; n*2=c; n*3=d", "a/b n=a" },
		{ "a/b; n*1=b", "a/b n=b" },
		{ "a/b; n=plain; n*=utf-8''%e2%82%ac", "a/b n*=utf-8''\xe2\x82\xac" },
		{ "a/b; n*=\"utf-8''x%20y\"", "a/b n*=utf-8''x y" },
		{ "a/b; n*=x%2zy%", "a/b n*=''x%2zy%" },
		{ "a/b; n*0*=utf-8''%41; n*1=%41", "a/b n*=utf-8''A%41" },
		{ "a/b; n*0=x; n*1*=%41", "a/b n=xA" },
		{ "a/b; n*999=x; *=y; *0=z", "a/b n*999=x *0=z" },
	};
	assert_types(cases, ARRAY_LEN(cases));
}

static void dispositions_are_understood(void **state)
{
	(void)state;
	static const struct param_case cases[] = {
		{ "attachment; filename=genome.jpeg;\r\n modification-date=\"Wed, 12 Feb 1997 "
		  "16:29:51 -0500\"",
		  "attachment filename=genome.jpeg "
		  "modification-date=Wed, 12 Feb 1997 16:29:51 -0500" },
		{ "INLINE", "inline" },
		{ "filename=x.pdf", "attachment filename=x.pdf" },
		{ "", NULL },
		{ ";filename=x", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct mime_disposition d;
		struct buf b;
		buf_init(&b, &a, 4096);
		int r = mime_disposition_parse(str_from(cases[i].value), &a, &d);
		assert_int_equal(r, cases[i].want ? 0 : -EINVAL);
		if (!cases[i].want)
			continue;
		buf_put_str(&b, d.kind);
		put_params(&b, &d.params);
		assert_string_equal(buf_cstr(&b), cases[i].want);
	}
}

static void parameters_beyond_the_limit_are_dropped(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct buf b;
	buf_init(&b, &a, 65536);
	buf_puts(&b, "a/b");
	for (unsigned i = 0; i <= MIME_PARAM_SECTIONS_MAX; i++)
		buf_printf(&b, "; p%u=x", i);

	struct mime_content_type t;
	assert_int_equal(mime_content_type_parse(buf_str(&b), &a, &t), 0);
	assert_int_equal(t.params.n, MIME_PARAM_SECTIONS_MAX);
	assert_true(t.params.truncated);
}

static void extended_values_are_written_as_they_came(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct mime_content_type t;
	assert_int_equal(mime_content_type_parse(STR("a/b; n*=utf-8'en'%e2%82%ac%20x.pdf"), &a, &t),
			 0);
	const struct mime_param *p = mime_param_find(&t.params, STR("n"));
	assert_non_null(p);
	assert_null(mime_param_find(&t.params, STR("m")));

	struct buf b;
	buf_init(&b, &a, 100);
	mime_param_write_extended(&b, p);
	assert_string_equal(buf_cstr(&b), "utf-8'en'%E2%82%AC%20x.pdf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_types_of_the_rfcs_are_understood),
		cmocka_unit_test(broken_content_types_give_what_can_be_read),
		cmocka_unit_test(dispositions_are_understood),
		cmocka_unit_test(parameters_beyond_the_limit_are_dropped),
		cmocka_unit_test(extended_values_are_written_as_they_came),
	};
	return cmocka_run_group_tests_name("mime/param", tests, NULL, NULL);
}
