#include "mime/msgid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

static void ids_are_found_among_anything(void **state)
{
	static const struct {
		const char *value, *want; /* one after the other, with '|' behind each */
	} table[] = {
		{ "", "" },
		{ "<a@b>", "a@b|" },
		{ " <a@b>\r\n\t<c@d> (x)", "a@b|c@d|" },
		/* The example of RFC 5256 section 3. */
		{ "<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>", "01KF8JCEOCBS0045PS@xxx.yyy.com|" },
		{ "Your message of today <a@b>", "a@b|" },
		{ "<no-at> <@b> <a@> <> <a@b", "" },
		{ "<<a@b>>", "a@b|" },
		{ "<a\r\n @b>", "a@b|" },
		{ "<\"a>b\"@c>", "a>b@c|" },
		{ "<\"open@x> <a@b>", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct str rest = str_from(table[i].value), id;
		struct buf b;
		buf_init(&b, &a, 1000);
		while (mime_msgid_next(&rest, &a, &id))
			buf_printf(&b, "%" STR_FMT "|", STR_ARG(id));
		assert_string_equal(buf_cstr(&b), table[i].want);
	}
}

/* Indexes on disk hold these. */
static void the_hash_of_an_id_stays_what_it_is(void **state)
{
	(void)state;
	assert_true(mime_msgid_hash(STR("a@b")) == UINT64_C(0x52fef08d9d18c388));
	assert_true(mime_msgid_hash(STR("01KF8JCEOCBS0045PS@xxx.yyy.com")) ==
		    UINT64_C(0x30cc76b2f21fea61));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_found_among_anything),
		cmocka_unit_test(the_hash_of_an_id_stays_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
