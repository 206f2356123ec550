/* Who may send to whom: the checks of RCPT, in the order in which their refusals are expected. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct smtp_resolution;
struct smtp_session;

/* An address of this machine. */
bool smtp_is_loopback(const char *address);

/* False when the recipient was refused: then the reply has been given. */
bool may_suspend smtp_policy_check(struct smtp_session *s, struct str rcpt,
				   const struct smtp_resolution *res);
