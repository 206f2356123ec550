#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "setup/alias_edit.h"

static void targets_are_added_to_the_first_entry_of_the_key(void **state)
{
	(void)state;
	static const struct {
		struct str before;
		const char *after;
	} cases[] = {
		{ STR_INIT(""), "k@d new\n" },
		{ STR_INIT("other@d x"), "other@d x\nk@d new\n" },
		{ STR_INIT("k@d x\n"), "k@d x,new\n" },
		{ STR_INIT("K@D x"), "K@D x,new" },
		{ STR_INIT("k@d x  \r\n# c\n"), "k@d x,new  \r\n# c\n" },
		{ STR_INIT("k@d x,\n# c\n  y\nz@d q\n"), "k@d x,\n# c\n  y,new\nz@d q\n" },
		{ STR_INIT("k@d x\nk@d y\n"), "k@d x,new\nk@d y\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct buf out;
		buf_init(&out, &a, 4096);
		alias_edit_add(cases[i].before, STR("k@d"), STR("new"), &out);
		assert_string_equal(buf_cstr(&out), cases[i].after);
	}
}

static void targets_are_removed_with_their_last_entry(void **state)
{
	(void)state;
	static const struct {
		struct str before, key;
		unsigned changed;
		const char *after;
	} cases[] = {
		{ STR_INIT(""), STR_INIT(""), 0, "" },
		{ STR_INIT("# only\n"), STR_INIT(""), 0, "# only\n" },
		{ STR_INIT("k@d gone\n"), STR_INIT(""), 1, "" },
		{ STR_INIT("# c\nk@d x,GONE y\n# t"), STR_INIT(""), 1, "# c\nk@d x,y\n# t" },
		{ STR_INIT("k@d gone\nl@d gone\n"), STR_INIT("L@d"), 1, "k@d gone\n" },
		{ STR_INIT("k@d x,\n  gone\nl@d q\n"), STR_INIT(""), 1, "k@d x\nl@d q\n" },
		{ STR_INIT("gone x\n"), STR_INIT(""), 0, "gone x\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct buf out;
		buf_init(&out, &a, 4096);
		assert_int_equal(
			alias_edit_remove(cases[i].before, cases[i].key, STR("gone"), &out),
			cases[i].changed);
		assert_string_equal(buf_cstr(&out), cases[i].after);
	}
}

static void a_target_belongs_to_its_key_only(void **state)
{
	(void)state;
	struct str text = STR("k@d x,\n  Y\nl@d z\n");

	assert_true(alias_edit_has(text, STR("K@d"), STR("y")));
	assert_false(alias_edit_has(text, STR("k@d"), STR("z")));
	assert_false(alias_edit_has(text, STR("k@d"), STR("k@d")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_added_to_the_first_entry_of_the_key),
		cmocka_unit_test(targets_are_removed_with_their_last_entry),
		cmocka_unit_test(a_target_belongs_to_its_key_only),
	};
	return cmocka_run_group_tests_name("setup/alias_edit", tests, NULL, NULL);
}
