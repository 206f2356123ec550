/* Tagged answers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "imap/session_state.h"

static int begin(void **state)
{
	struct imap_session *s = calloc(1, sizeof(*s));

	imap_command_reset(s);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct imap_session *s = *state;

	arena_done(&s->arena);
	free(s);
	return 0;
}

/* COPYUID of a large mailbox with gaps. */
static void an_answer_may_be_of_any_length(void **state)
{
	struct imap_session *s = *state;
	size_t n = 3 << 20;
	char *text = arena_alloc(&s->arena, n);

	memset(text, '1', n);
	imap_ok(s, "[COPYUID 1 %" STR_FMT " 1] Copy completed.", STR_ARG(str_of(text, n)));
	assert_int_equal(s->reply.n, n + strlen("OK [COPYUID 1  1] Copy completed."));
	imap_no(s, "never mind");
	assert_true(str_eq(buf_str(&s->reply), STR("NO never mind")));
}

static void failures_of_the_store_have_their_codes(void **state)
{
	static const struct {
		int error;
		const char *code;
	} table[] = {
		{ -ENOENT, "NO [NONEXISTENT] " }, { -EEXIST, "NO [ALREADYEXISTS] " },
		{ -EINVAL, "NO [CANNOT] " },	  { -E2BIG, "NO [LIMIT] " },
		{ -EROFS, "NO [READ-ONLY] " },	  { -EAGAIN, "NO [INUSE] " },
		{ -EDQUOT, "NO [OVERQUOTA] " },	  { -ENOSPC, "NO [UNAVAILABLE] " },
		{ -EIO, "NO [UNAVAILABLE] " },
	};
	struct imap_session *s = *state;
	struct err err = { .text = "a secret path" };

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(imap_no_store(s, table[i].error, &err), 0);
		assert_true(str_starts(buf_str(&s->reply), str_from(table[i].code)));
		assert_true(str_find(buf_str(&s->reply), STR("secret")) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_may_be_of_any_length, begin, end),
		cmocka_unit_test_setup_teardown(failures_of_the_store_have_their_codes, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
