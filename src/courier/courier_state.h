/* What the parts of the courier share. */
#pragma once

#include "core/group.h"
#include "courier/cache.h"
#include "courier/config.h"

struct ipc_client;

struct courier {
	struct courier_config config;
	struct ipc_client *dns;
	struct cache cache;
	struct group fibers;
};
