#include "mime/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_shown(const char *html, size_t step, const char *want)
{
	auto_buf struct buf b;
	struct mime_html h;
	struct str s = str_from(html);

	buf_init(&b, NULL, 1000);
	mime_html_init(&h);
	for (size_t i = 0; i < s.n; i += step)
		mime_html_put(&h, str_sub(s, i, step), &b);
	mime_html_finish(&h, &b);
	assert_string_equal(buf_cstr(&b), want);
}

static void html_is_what_its_reader_sees(void **state)
{
	static const struct {
		const char *html, *want;
	} table[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "a\r\n\t b ", "a b" },
		{ "<p>one</p><p>two</p>", " one two" },
		{ "b<b>o</b>ld<br>x", "bold x" },
		{ "&lt;&amp;&gt;&#65;&#x42;&nbsp;&uuml;", "<&>AB \xc3\xbc" },
		{ "a & b &c; &toolongtobeanentity; &", "a & b &c; &toolongtobeanentity; &" },
		{ "<a title=\"x>y\">z</a>", "z" },
		{ "<p it's>z", " z" },
		{ "x<!-- <b>no</b> --->y", "xy" },
		{ "<style>p > a {}</style>t<SCRIPT>if (a < b)</SCRIPT >u", " t u" },
		{ "<title>no</title>yes", " yes" },
		{ "1 < 2", "1" },
		{ "cut <b", "cut" },
		{ "&#1114112;&#xD800;", "\xef\xbf\xbd\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		for (size_t step = 1; step < 8; step += 3)
			assert_shown(table[i].html, step, table[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_is_what_its_reader_sees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
