/* What `setup` says to people: lines in the format of the server's log, usages, failures. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "setup/setup.h"

enum message_level {
	MESSAGE_ERROR,
	MESSAGE_WARN,
	MESSAGE_INFO,
};

/* "2024-05-01 12:00:00+00:00 INFO  addmailuser: text" on stderr, unless LOG_LEVEL asks for less. */
void message(const struct setup *s, enum message_level level, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* Say what failed, and that nothing more is done. Returns SETUP_ERROR. */
enum setup_exit message_fail(const struct setup *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The same behind the usage of the command: the arguments are wrong. */
enum setup_exit message_fail_usage(const struct setup *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Are there at most so many arguments? Otherwise it has been said that there are too many. */
bool must_check message_args_end(const struct setup *s, unsigned most);

void usage_print(const struct setup_command *c);
void usage_print_all(void);

/* The commands of one group; false when there is no such group. */
bool must_check usage_print_group(struct str group);
