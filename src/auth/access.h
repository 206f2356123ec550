/* postfix-send-access.cf and postfix-receive-access.cf (access(5)): "key action". Keys are
 * user@domain, domain (which covers its subdomains) and user@. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/file_lines.h"
#include "base/map.h"
#include "base/str.h"

struct arena;

enum access_action {
	ACCESS_DUNNO, /* no opinion: other checks decide */
	ACCESS_OK,
	ACCESS_REJECT,
};

struct access_rule {
	struct str key;
	enum access_action action;
	uint16_t code;	 /* of ACCESS_REJECT: 4xx or 5xx */
	struct str text; /* with its enhanced code where the file has one; empty: say the usual */
	struct access_rule *next;
};

struct access_table {
	struct map by_key;
	struct access_rule *first; /* in the order of the file */
	struct access_rule *last;
};

/* *t is zeroed; entries live in `a`, text outlives the table. */
void access_parse(struct access_table *t, struct arena *a, struct str text,
		  const struct file_report *report);
void access_done(struct access_table *t);

/* As accounts_keep. */
bool access_keep(struct access_table *t, struct arena *a, const struct access_table *before,
		 struct str key);

/* The rule for an address (empty: the null sender, key "<>"), the more specific one first; NULL
 * when none says anything. */
const struct access_rule *access_find(const struct access_table *t, struct str address,
				      char delimiter);
