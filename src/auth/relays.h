/* postfix-relaymap.cf: "@domain [host]:port", "user@domain host", or "@domain" alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "auth/file_lines.h"
#include "base/map.h"
#include "base/str.h"

struct arena;

struct relay {
	struct str sender;  /* lower case; "@domain" for all of a domain */
	struct str nexthop; /* empty: the domain does not use RELAY_HOST */
};

struct relays {
	struct map by_sender;
};

/* *t is zeroed; entries live in `a`. */
void relays_parse(struct relays *t, struct arena *a, struct str text,
		  const struct file_report *report);
void relays_done(struct relays *t);

/* As accounts_keep. */
bool relays_keep(struct relays *t, struct arena *a, const struct relays *before, struct str sender);

/* The line for an envelope sender in lower case: its own, that without the extension behind
 * `delimiter` (0: none), its domain's. NULL when there is none. */
const struct relay *relays_find(const struct relays *t, struct str sender, char delimiter);
