/* The ports of the server, bound once by the supervisor and kept while roles come and go. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

struct err;
struct settings;

#define LISTENERS_MAX 32

struct listener {
	const char *role; /* who serves it: "front" */
	const char *name; /* "submissions" */
	bool proxied;	  /* for proxies: a header names the client */
	int fd;
};

struct listeners {
	struct listener v[LISTENERS_MAX];
	unsigned count;
};

/* Bind everything the settings ask for. On an error (-EADDRINUSE, -EACCES, ...; err says which port
 * and what to do) nothing stays open. */
int must_check listeners_open(const struct settings *set, struct listeners *out, struct err *err);
/* The socket at settings.local_socket: its owner and root hand in mail there, as programs of a
 * machine do with sendmail. The state directory exists. */
int must_check listeners_open_local(const struct settings *set, struct listeners *out,
				    struct err *err);
void listeners_close(struct listeners *l);
