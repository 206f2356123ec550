/* Patterns of LIST and LSUB (RFC 3501 6.3.8): '*' matches anything, '%' all but the separator. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Both in UTF-8; INBOX and the first level of its children in any case. At most quadratic. */
bool imap_list_match(struct str pattern, struct str name, char separator);
