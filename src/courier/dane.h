/* The TLSA records of a host (RFC 7672 2.2). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "core/tls_client.h"
#include "courier/tls_policy.h"

struct arena;
struct ipc_client;
struct mx_host;

struct dane {
	enum tls_dane_state state;
	const char *base;	  /* the name that has the records: a reference identifier too */
	struct tls_dane *records; /* usable ones */
	size_t count;
};

/* For a host whose addresses are known. Everything lives in `a`. */
void may_suspend dane_find(struct ipc_client *dns, const struct mx_host *h, uint16_t port,
			   struct arena *a, struct dane *out);
