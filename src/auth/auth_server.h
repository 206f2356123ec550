/* The service behind auth.ipc. One per process: it owns the snapshot of the account files, the
 * throttle and the cache of logins. */
#pragma once

#include "auth/directory.h"
#include "auth/srs.h"
#include "base/check.h"

struct auth_ops;
struct err;

struct auth_server_config {
	struct directory_config directory;
	struct srs srs;
	int64_t recipients_per_hour; /* of a login; 0: any number */
	int64_t failure_delay;	     /* ms from a login that fails to its answer, at least */
};

/* What the settings of this process say, and the keys of SRS, whose file is made when it is
 * missing. Strings are the settings', or live in `a`. Blocks. 0 or -errno. */
int must_check auth_server_config_from_settings(struct arena *a, struct auth_server_config *out,
						struct err *err);

/* Read the account files for the first time. The configuration's strings outlive the server.
 * Blocks; what is wrong in the files is logged and never fatal. */
void auth_server_open(const struct auth_server_config *config);
void auth_server_close(void);

/* Some account file changed: read all of them again, on a worker thread. A call while one is
 * running makes that one start over. Returns when the new state is in force: 0, or -ECANCELED. */
int may_suspend must_check auth_server_reload(void);

/* The operations; their ctx is not used. */
extern const struct auth_ops auth_server_ops;
