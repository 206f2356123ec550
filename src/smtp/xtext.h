/* xtext, the armour of DSN and AUTH parameter values (RFC 3461 4): printable ASCII, "+" and two
 * hexadecimal digits for anything else. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

/* Append what the text stands for. 0, or -EINVAL with *out as it was. */
int must_check smtp_xtext_parse(struct str text, struct buf *out);

/* Is it xtext whose meaning is printable ASCII (RFC 3461 4.4, 4.2)? */
bool smtp_xtext_is_printable(struct str text);
