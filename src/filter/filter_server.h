/* The filter service: checks what comes, signs what leaves. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct filter;
struct ipc_server;

struct filter_config {
	struct str config_dir;
	bool opendkim, rspamd; /* which layouts of keys count */
	bool spf_rejects, dmarc_rejects;
	struct str server;	/* our name */
	struct str domain;	/* and its domain */
	struct str srs_domain;	/* of rewritten senders, or empty */
	struct str arc_trusted; /* domains whose seals count */
	int64_t timeout;	/* ms for a check */
	const char *dir;	/* for what is kept; NULL: nothing is */
};

struct filter *filter_new(const struct filter_config *config);
void filter_free(struct filter *f);

/* A connection to the resolver (taken). */
void filter_attach_resolver(struct filter *f, int fd);

/* Read the keys again. */
void filter_reload(struct filter *f);

struct ipc_server filter_ipc_server(struct filter *f);

/* For operators: explain.ipc. */
struct ipc_server filter_explain_server(struct filter *f);
