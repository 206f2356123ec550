/* What auth_server.c and login.c share. */
#pragma once

#include "auth/auth_ipc.h"
#include "auth/auth_server.h"
#include "auth/directory.h"
#include "auth/login_cache.h"
#include "auth/login_throttle.h"
#include "auth/sending_rate.h"
#include "core/fiber.h"

struct auth_server {
	struct auth_server_config config;
	struct directory *directory; /* another one after any wait */
	bool reloading;
	bool reload_again;
	struct waitq reloaded;
	unsigned generation; /* of the directory */

	struct sending_rate sending;
	struct login_throttle throttle;
	struct login_cache cache;
	unsigned logins; /* that wait for a worker or for their throttle */
};

extern struct auth_server *auth_server;

int may_suspend auth_server_login(void *ctx, struct auth_login_in *in, struct arena *a,
				  struct auth_login_out *out, struct err *err);
