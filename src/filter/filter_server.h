/* The filter service: signs what leaves. */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct filter;
struct ipc_server;

struct filter_config {
	struct str config_dir;
	bool opendkim, rspamd; /* which layouts of keys count */
};

struct filter *filter_new(const struct filter_config *config);
void filter_free(struct filter *f);

/* Read the keys again. */
void filter_reload(struct filter *f);

struct ipc_server filter_ipc_server(struct filter *f);
