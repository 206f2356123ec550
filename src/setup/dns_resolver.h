/* The server's resolver, inside of this program: the same settings, and none of the answers that
 * the server keeps. */
#pragma once

#include "base/check.h"
#include "core/group.h"
#include "setup/setup.h"

struct err;
struct ipc_client;

struct dns_resolver {
	struct group servers, clients;
	struct ipc_client *client;
};

/* In a fiber; once in a process. 0 or -errno. */
int may_suspend must_check dns_resolver_open(struct setup *s, struct dns_resolver *out,
					     struct err *err);
void may_suspend dns_resolver_close(struct dns_resolver *r);
