/* dovecot-quotas.cf: "user@domain:5G". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/file_lines.h"
#include "base/map.h"
#include "base/str.h"

struct arena;

struct quota {
	struct str login; /* lower case */
	uint64_t bytes;	  /* 0: no limit */
};

struct quotas {
	struct map by_login;
};

/* *t is zeroed; entries live in `a`. */
void quotas_parse(struct quotas *t, struct arena *a, struct str text,
		  const struct file_report *report);
void quotas_done(struct quotas *t);

/* As accounts_keep. */
bool quotas_keep(struct quotas *t, struct arena *a, const struct quotas *before, struct str login);

/* The login in lower case; false when no line names it. */
bool quotas_find(const struct quotas *t, struct str login, uint64_t *bytes);

/* A number with the unit B, k, M, G or T (any case, powers of 1024), or bytes without one. 0,
 * -EINVAL or -ERANGE. */
int must_check quota_size_parse(struct str text, uint64_t *bytes);
