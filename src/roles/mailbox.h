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
struct store_pool;

struct mailbox_role {
	struct store_pool *pool;
	struct group sessions;
	struct map users; /* account -> how many sessions it has */
	struct waitq unsettled;
	struct mailbox_volumes volumes;
};

extern struct mailbox_role mailbox_role;

/* Where an account's mail lives: <mail_dir>/<domain>/<local part>. -EINVAL for a name that
 * would lead elsewhere. */
int must_check mailbox_role_path(struct str account, struct arena *a, struct str *out,
				 struct err *err);

/* Operations of the mailbox service (store/mailbox.ipc). */
int mailbox_role_deliver(void *ctx, struct mailbox_deliver_in *in, struct arena *a,
			 struct mailbox_deliver_out *out, struct err *err);
int mailbox_role_session(void *ctx, struct mailbox_session_in *in, struct arena *a,
			 struct mailbox_session_out *out, struct err *err);
