/* Editing postfix-virtual.cf by its targets. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* Is `target` among the targets of `key`? Case does not matter in either. */
bool alias_edit_has(struct str text, struct str key, struct str target);

/* Copy `text` with ",target" added to the first entry of `key`, or with a new entry at the end. */
void alias_edit_add(struct str text, struct str key, struct str target, struct buf *out);

/* Copy `text` without a target: of the entries of `key`, or of all entries when key is empty.
 * An entry that has no other target goes as a whole. Returns how many entries changed. */
unsigned alias_edit_remove(struct str text, struct str key, struct str target, struct buf *out);
