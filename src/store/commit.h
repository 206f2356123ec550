/* Filling a store_commit. */
#pragma once

#include "store/store.h"

/* Sync this file, or this directory, when the commit runs. The descriptor is duplicated; a commit
 * that gets many forgets them and syncs the file system. NULL commit: nothing. */
int must_check store_commit_add(struct store_commit *c, int fd, struct err *err);
/* The same for a file or directory below `dirfd`. */
int must_check store_commit_add_at(struct store_commit *c, int dirfd, const char *path,
				   struct err *err);
