/* The directories that outlive the server: whose they are, and whether they can be used. */
#pragma once

#include <sys/types.h>

#include "base/check.h"

struct err;
struct settings;

struct volumes_owner {
	uid_t uid;
	gid_t gid;
};

/* Make the directories that are missing. As root, say in *owner who is to run the server: the owner
 * of the mail, or DMS_VMAIL_UID, who then gets what root has just made or has left empty; what
 * exists is nobody's to give away. Otherwise *owner is who we are. */
int must_check volumes_make(const struct settings *set, struct volumes_owner *owner,
			    struct err *err);

/* Can we, as whom we run now, work in the directories and read the certificates? The error names
 * the first that is in the way, whose it is and what to do. */
int must_check volumes_check(const struct settings *set, struct err *err);
