/* What the list commands share. */
#pragma once

#include "setup/setup.h"

/* Fails, and says so, when the file does not exist or is empty. */
enum setup_exit list_file_check(struct setup *s, const char *file);

/* "* line" and a blank line for every line that counts, cut at the separator unless that is 0. */
enum setup_exit list_file_print(struct setup *s, const char *file, char separator);
