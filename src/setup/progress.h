/* How far a long command has come: a bar on a terminal, else a line now and then. On standard
 * error, so that results can be piped. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct progress {
	struct str what; /* "INBOX" */
	bool on_terminal, shown;
	int64_t last_ms;
};

struct progress progress_begin(struct str what);
/* `all` 0: unknown. Cheap enough to be called for every message. */
void progress_show(struct progress *p, uint64_t done, uint64_t all);
/* Wipe the bar. */
void progress_end(struct progress *p);
