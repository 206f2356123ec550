/* Message-IDs as the links of a thread (RFC 5256 section 3, RFC 5322 3.6.4). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

/* Take the next valid Message-ID off a field's value: what stands between angle brackets and has an
 * '@', without white space, its local part unquoted (so that <"a"@b> is <a@b>). In the arena or a
 * slice. False at the end. */
bool mime_msgid_next(struct str *value, struct arena *a, struct str *out);

/* What stands for a Message-ID where many are compared; never 0. It is stored: it must not change
 * between versions. Two IDs with one hash would be taken for one message's. */
uint64_t mime_msgid_hash(struct str id);
