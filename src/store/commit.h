/* Filling a store_commit. */
#pragma once

#include "store/store.h"

/* The file system of this file or directory has to be synced. The descriptor is duplicated. NULL
 * commit: nothing. */
int must_check store_commit_add(struct store_commit *c, int fd, struct err *err);
