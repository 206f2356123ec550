#include "roles/privileges.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "core/log.h"

int privileges_drop(const char *dir, struct err *err)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(dir, &st) < 0)
		return err_sys(err, "%s", dir);
	if (st.st_uid == 0) {
		log_event(
			LOG_SETTING_WARNING,
			LOG_CSTR("text", "running as root, because the mail directory is root's"));
		return 0;
	}
	if (setgroups(0, NULL) < 0 || setgid(st.st_gid) < 0 || setuid(st.st_uid) < 0)
		return err_sys(err, "become user %u", (unsigned)st.st_uid);
	return 0;
}
