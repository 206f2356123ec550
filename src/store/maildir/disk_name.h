/* How a mailbox name is spelled on disk: modified UTF-7 (RFC 3501 5.1.3), levels separated by
 * '.'. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct arena;

/* Append the spelling of a valid name. */
void disk_name_write(struct buf *out, struct str name);

/* A valid mailbox name from its spelling; plain UTF-8 is understood as well. False for what is
 * neither. *name lives in `a`. */
bool disk_name_parse(struct str spelled, struct arena *a, struct str *name);
