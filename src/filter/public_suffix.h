/* Below which names do strangers register domains? The Public Suffix List as Debian has it, for
 * what the DNS does not say itself. Domains are ASCII (A-labels), of any case. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Read the list of the system, if that is newer than the one in libpsl: before the process shuts
 * itself in. Without this call the latter counts. */
void public_suffix_load(void);

/* "co.uk" is one; so is any name of one label. */
bool public_suffix_is(struct str domain);

/* Do both lie below one name that somebody has registered? */
bool public_suffix_is_one_owner(struct str a, struct str b);
