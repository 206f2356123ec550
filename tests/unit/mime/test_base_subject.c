#include "mime/base_subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

/* RFC 5256 2.1. */
static void the_base_subject_is_what_replies_have_in_common(void **state)
{
	static const struct {
		const char *subject, *want;
		bool is_response;
	} table[] = {
		{ "", "", false },
		{ "hello", "hello", false },
		{ "  a \t  b ", "a b", false },
		{ "Re: hello", "hello", true },
		{ "RE : hello", "hello", true },
		{ "re: Fw: fWd: hello", "hello", true },
		{ "Re[2]: hello", "hello", true },
		{ "Re [x] : hello", "hello", true },
		{ "[list] Re: hello", "hello", true },
		{ "[a][b] re: hello", "hello", true },
		{ "[list] hello", "hello", false },
		{ "[only]", "[only]", false },
		{ "Re: [only]", "[only]", true },
		{ "[a] [b]", "[b]", false },
		{ "hello (fwd)", "hello", true },
		{ "hello (fwd) (FWD) ", "hello", true },
		{ "[fwd: hello]", "hello", true },
		{ "[Fwd: Re: hello (fwd)]", "hello", true },
		{ "[fwd: [fwd: re: x] ]", "x", true },
		{ "Re", "Re", false },
		{ "Reply: x", "Reply: x", false },
		{ "[unclosed x", "[unclosed x", false },
		{ "[[a] x", "[[a] x", false },
		{ "Re:", "", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct mime_base_subject base;
		mime_base_subject(str_from(table[i].subject), &a, &base);
		assert_string_equal(arena_cstr(&a, base.text), table[i].want);
		assert_int_equal(base.is_response, table[i].is_response);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_base_subject_is_what_replies_have_in_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
