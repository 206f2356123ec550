/* postfix-virtual.cf (virtual(5)): "pattern result[,result...]", and postfix-aliases.cf
 * (aliases(5)): "name: target[, target...]". Both end in the same table of a key and its
 * targets. */
#pragma once

#include <stddef.h>

#include "auth/file_lines.h"
#include "base/map.h"
#include "base/str.h"

struct arena;

#define ALIAS_TARGETS_MAX 1000

struct alias {
	struct str key; /* lower case: user@domain, @domain or a local part */
	struct str *targets;
	size_t count;
	struct alias *next;
};

struct aliases {
	struct map by_key;
	struct alias *first; /* in the order of the file */
	struct alias *last;
};

/* *t is zeroed; entries live in `a`, text outlives the table. */
void aliases_parse_virtual(struct aliases *t, struct arena *a, struct str text,
			   const struct file_report *report);

/* Targets that are files, commands or includes are reported and left out. */
void aliases_parse_local(struct aliases *t, struct arena *a, struct str text,
			 const struct file_report *report);
void aliases_done(struct aliases *t);

/* As accounts_keep. */
bool aliases_keep(struct aliases *t, struct arena *a, const struct aliases *before, struct str key);

/* The key in lower case; NULL when there is none. */
const struct alias *aliases_find(const struct aliases *t, struct str key);

/* Take the next target off a list separated by commas or blanks; quotes protect both. False at the
 * end. */
bool alias_target_next(struct str *rest, struct str *target);
