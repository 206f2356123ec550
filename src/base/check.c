#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_to_stderr(const char *line)
{
	(void)!write(STDERR_FILENO, line, strlen(line));
	(void)!write(STDERR_FILENO, "\n", 1);
}

static void (*check_handler)(const char *line) = print_to_stderr;

void check_set_handler(void (*handler)(const char *line))
{
	check_handler = handler ? handler : print_to_stderr;
}

void check_failed(const char *what, const char *file, int line)
{
	char text[512];

	snprintf(text, sizeof(text), "check failed: %s (%s:%d)", what, file, line);
	check_handler(text);
	abort();
}

void check_no_memory(void)
{
	check_handler("out of memory");
	abort();
}
