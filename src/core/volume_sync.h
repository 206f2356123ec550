/* Making written files durable: one syncfs(2) at a time for each file system, shared by everybody
 * who waits for it.
 *
 * Why not fsync of each file: a message is a file, two directories and a line in a list; four waits
 * for the disk, of which one is enough, and none is shared with the session beside it. */
#pragma once

#include "base/check.h"

/* All that this process wrote to the file system of the open file `fd` before the call is on the
 * disk when it returns 0. -EIO, -ENOSPC or another error: perhaps not, and nobody may be told
 * "done". -ECANCELED: the fiber is to end; the same. `fd` may be closed meanwhile. */
int may_suspend must_check volume_sync(int fd);
