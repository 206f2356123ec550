#include "core/sandbox.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/err.h"
#include "core/log.h"

/* Half a sandbox is better than no mail. */
static int report_missing(const char *what, int r, const struct err *why)
{
	if (r != -ENOSYS)
		return r;
	log_event(LOG_SANDBOX_MISSING, LOG_CSTR("what", what), LOG_REASON(why));
	return 0;
}

int sandbox_enter(const struct sandbox_policy *policy, struct err *err)
{
	/* A core dump holds passwords and keys. */
	const struct rlimit none = { 0, 0 };
	struct err why;

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return err_sys(err, "setrlimit");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "no_new_privs");

	int r = report_missing("Landlock", sandbox_restrict_paths(policy, &why), &why);
	if (r == 0)
		r = report_missing("seccomp", sandbox_restrict_calls(policy, &why), &why);
	if (r < 0)
		return err_set(err, r, "sandbox: %s", why.text);
	return 0;
}
