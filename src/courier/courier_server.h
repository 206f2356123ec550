/* The courier service: one attempt at a time for each call. Runs on the loop of its process. */
#pragma once

#include "base/check.h"
#include "core/ipc.h"
#include "courier/config.h"

struct courier;
struct err;

/* *config is copied, what it points to outlives the courier. Reads the authorities: before the
 * sandbox closes. */
struct courier *courier_start(const struct courier_config *config);

/* The connections to the resolver and to auth, taken; again whenever they were restarted. */
void courier_attach_dns(struct courier *c, int fd);
void courier_attach_auth(struct courier *c, int fd);

/* Bring the gauges up to date. */
void courier_report(const struct courier *c);

/* What answers courier.deliver: for ipc_serve. */
struct ipc_server courier_ipc_server(struct courier *c);

/* End all fibers and free everything. The calls on courier_ipc_server have ended. */
void may_suspend courier_stop(struct courier *c);
