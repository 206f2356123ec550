/* Private to the service: what its calls share. */
#pragma once

#include "core/group.h"
#include "filter/filter_ipc.h"
#include "filter/filter_server.h"
#include "filter/lookup.h"

struct dkim_keys;
struct dmarc_results;
struct signing;

struct filter {
	struct filter_config config;
	struct signing *signing;
	struct group fibers; /* that read answers of the resolver */
	struct ipc_client *resolver;
	struct lookup dns;
	struct dkim_keys *keys;
	struct dmarc_results *dmarc_results;
};

int may_suspend filter_run_checks(void *ctx, struct filter_examine_in *in, struct arena *a,
				  struct filter_examine_out *out, struct err *err);
