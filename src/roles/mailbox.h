/* Private to mailbox: what its files share. */
#pragma once

#include "base/map.h"
#include "base/str.h"
#include "core/fiber.h"
#include "core/group.h"
#include "roles/mailbox_volumes.h"

struct arena;
struct err;
struct mailbox_deliver_in;
struct mailbox_deliver_out;
struct mailbox_session_in;
struct mailbox_session_out;
struct mailbox_is_full_in;
struct mailbox_is_full_out;
struct ipc_client;
struct fts;
struct store_pool;

struct mailbox_role {
	struct ipc_client *auth;
	struct ipc_client **peers; /* by instance; this one's own is never connected */
	struct group ipc;
	struct map quotas; /* account -> its limit, as auth said a moment ago */
	struct store_pool *pool;
	struct store_pool *guests; /* accounts of other workers, for what their owners share */
	unsigned instance;
	struct group sessions;
	struct map users; /* account -> how many sessions it has */
	struct waitq unsettled;
	struct mailbox_volumes volumes;
	struct fts *fts; /* or NULL */
};

extern struct mailbox_role mailbox_role;

/* Where an account's mail lives: <mail_dir>/<domain>/<local part>. -EINVAL for a name that
 * would lead elsewhere. */
int must_check mailbox_role_path(struct str account, struct arena *a, struct str *out,
				 struct err *err);

/* How many bytes an account may store; 0: no limit, also when that cannot be told now. */
uint64_t may_suspend mailbox_role_quota(struct str account);
void mailbox_role_quotas_done(void);
/* Does one more message of so many bytes fit into `used`? The last one may be too large by a tenth
 * of the limit. */
bool mailbox_role_fits(uint64_t limit, uint64_t used, uint64_t size);
/* Tell the user when a delivery has filled the mailbox further than that. */
struct store;
void mailbox_role_warn(struct store *s, struct str account, uint64_t limit, uint64_t before,
		       uint64_t after);

/* Full-text indexes, below *root, where they are wanted. */
int must_check mailbox_index_prepare(struct arena *a, struct str *root, struct err *err);

/* Operations of the mailbox service (store/mailbox.ipc). */
int mailbox_role_deliver(void *ctx, struct mailbox_deliver_in *in, struct arena *a,
			 struct mailbox_deliver_out *out, struct err *err);
int mailbox_role_is_full(void *ctx, struct mailbox_is_full_in *in, struct arena *a,
			 struct mailbox_is_full_out *out, struct err *err);
int mailbox_role_session(void *ctx, struct mailbox_session_in *in, struct arena *a,
			 struct mailbox_session_out *out, struct err *err);
