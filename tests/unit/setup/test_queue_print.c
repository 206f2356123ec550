/* What may reach a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "setup/queue_print.h"

/* What print_text makes of it, in `out`. */
static void catch_text(struct str text, char *out, size_t size)
{
	int file = memfd_create("output", MFD_CLOEXEC), before = dup(STDOUT_FILENO);

	fflush(stdout);
	assert_true(file >= 0 && before >= 0 && dup2(file, STDOUT_FILENO) >= 0);
	print_text(text);
	fflush(stdout);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	ssize_t n = pread(file, out, size - 1, 0);
	assert_true(n >= 0);
	out[n] = '\0';
	close(file);
	close(before);
}

static void a_text_cannot_command_the_terminal(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		const char *shown;
	} cases[] = {
		{ STR_INIT("plain \xc3\xa4 \xe2\x82\xac \xc2\xa0"),
		  "plain \xc3\xa4 \xe2\x82\xac \xc2\xa0" },
		{ STR_INIT("\x1b[31m\r\n\t\x7f\0x"), "?[31m?????x" },
		/* CSI as one character of C1, and as the byte that it is outside of UTF-8. */
		{ STR_INIT("\xc2\x9b"
			   "31m"),
		  "?31m" },
		{ STR_INIT("\x9b"
			   "31m"),
		  "?31m" },
		{ STR_INIT("cut \xe2\x82"), "cut ??" },
	};
	char shown[200];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		catch_text(cases[i].text, shown, sizeof(shown));
		assert_string_equal(shown, cases[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_cannot_command_the_terminal),
	};
	return cmocka_run_group_tests_name("setup/queue_print", tests, NULL, NULL);
}
