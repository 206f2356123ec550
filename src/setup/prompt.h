/* Questions to the person at the terminal. Without a terminal the answers are read all the
 * same, and no question is shown. */
#pragma once

#include <stdbool.h>

#include "setup/setup.h"

/* One line of standard input, without its end; empty at the end of the input. It lives in
 * s->arena. */
struct str prompt_line(struct setup *s, const char *question);

/* Ask for a password twice, without showing it. False when it is empty or the two differ: the
 * reason has been said. */
bool prompt_password(struct setup *s, struct str *password);
