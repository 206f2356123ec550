/* rm -R, for a mailbox. */
#pragma once

#include "base/check.h"

struct err;

/* Remove a directory and everything in it, without following symbolic links and without leaving its
 * file system. 0 or -Exxx. */
int must_check remove_tree(const char *path, struct err *err);
