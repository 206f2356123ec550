#include "roles/privileges.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "roles/volumes.h"

int privileges_drop(const struct volumes_owner *owner, struct err *err)
{
	if (geteuid() != 0 || owner->uid == 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setgid(owner->gid) < 0 || setuid(owner->uid) < 0)
		return err_set(err, -errno,
			       "root cannot become user %u:%u, whose the mail is: %s. Start the "
			       "server as that user, or leave the capabilities SETUID and SETGID",
			       (unsigned)owner->uid, (unsigned)owner->gid, strerror(errno));
	return 0;
}
