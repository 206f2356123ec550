/* In whose name a user's message is written (RFC 6409 8.1). */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct smtp_head_facts;
struct smtp_session;

/* May it be? Otherwise *refusal is the reply, in the arena of the transaction. */
bool may_suspend must_check smtp_author_check(struct smtp_session *s,
					      const struct smtp_head_facts *facts,
					      const char **refusal);
