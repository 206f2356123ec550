/* The name of a client, as the DNS knows it: asked for when it connects, while the session goes on.
 * From the moment it is known, the log and all that asks the session for its client have it. */
#pragma once

#include "base/check.h"

struct smtp_session;

void smtp_peer_name_begin(struct smtp_session *s);

/* Wait until it is known, or known that it cannot be found. */
void may_suspend smtp_peer_name_wait(struct smtp_session *s);
