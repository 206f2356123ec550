/* What the parts of the courier share. */
#pragma once

#include "core/group.h"
#include "courier/cache.h"
#include "courier/config.h"
#include "courier/delivered.h"

struct ipc_client;
struct sts;
struct tls_memory;
struct tls_roots;

struct courier {
	struct courier_config config;
	struct ipc_client *dns, *auth;
	struct tls_roots *roots;
	struct sts *sts; /* NULL when it is off */
	struct tls_memory *memory;
	int64_t no_logins_until; /* auth has said that there are none */
	struct cache cache;
	struct delivered delivered;
	struct group fibers;
};
