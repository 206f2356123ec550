/* How much mail an account holds, from the sizes in the names of its Maildir's files: no server is
 * needed, and no message is opened. */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct arena;

/* Bytes in all folders below a Maildir; 0 when there is none. */
uint64_t mail_usage(struct str maildir, struct arena *a);

/* "0", "1.0K", "50M": powers of 1024, rounded up, one decimal below ten. It lives in `a`. */
const char *mail_usage_format(uint64_t bytes, struct arena *a);
