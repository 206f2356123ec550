/* The file systems that a mailbox worker has written to. Below the mail directory others may be
 * mounted, for one domain or one account; each needs a sync of its own. */
#pragma once

#include <sys/types.h>

#include "base/check.h"

struct err;

#define MAILBOX_VOLUMES_MAX 128

struct mailbox_volumes {
	unsigned count;
	struct {
		dev_t device;
		int fd; /* open as long as the process: syncfs tells of errors since then */
	} v[MAILBOX_VOLUMES_MAX];
};

/* From now on the file system of this directory is one of them. 0 or -errno. */
int must_check mailbox_volumes_add(struct mailbox_volumes *m, const char *path, struct err *err);

/* syncfs on all. Blocks; the argument is a struct mailbox_volumes. 0 or the first -errno. */
int must_check mailbox_volumes_sync(void *volumes);
