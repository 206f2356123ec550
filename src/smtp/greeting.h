/* The first words, and who cannot wait for them. */
#pragma once

#include <stdbool.h>

#include "base/check.h"

struct smtp_session;

/* Say the greeting. On port 25 a stranger has to wait for it once, and gives itself away by talking
 * first (RFC 5321 3.1: the client waits). False when the session is over. */
bool may_suspend smtp_greet(struct smtp_session *s);
