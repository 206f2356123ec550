/* xtext, the armour of DSN parameter values (RFC 3461 4). */
#pragma once

#include "base/buf.h"
#include "base/str.h"

void courier_xtext_write(struct buf *out, struct str text);
