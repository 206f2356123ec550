/* The dns service: which resolver answers a question, and what the answer means. */
#pragma once

#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct err;
struct ipc_server;

struct dns_server_config {
	struct str servers;  /* POSTHORN_DNS */
	struct str anchor;   /* file of trust anchors */
	struct str hints;    /* file of root servers */
	struct str hosts;    /* hosts(5) */
	struct str resolv;   /* resolv.conf(5) */
	int dnssec;	     /* enum setting_dnssec */
	int64_t timeout;     /* ms for a question */
	int64_t cache_size;  /* bytes */
	int64_t stale_max;   /* ms */
	int64_t pending_max; /* questions */
};

/* Paths live in `a`. */
struct arena;
void dns_server_config_from_settings(struct arena *a, struct dns_server_config *out);

/* There is one in a process. It answers at once and opens its resolvers meanwhile; strings of
 * *config outlive it. 0 or -EAGAIN. */
int must_check dns_server_start(const struct dns_server_config *config, struct err *err);
void may_suspend dns_server_stop(void);

struct ipc_server dns_server_ipc(void);

/* Brings the gauges up to date; why no question can be answered, or empty. */
struct str dns_server_trouble(void);
