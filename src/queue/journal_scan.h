/* Reading one segment from its start to its end, over whatever is broken in it. */
#pragma once

#include "queue/journal_state.h"

#define JOURNAL_SCAN_TO_END UINT64_MAX

#define JOURNAL_GAPS_MAX 64

struct journal_scan {
	struct journal *journal;
	struct journal_segment *segment; /* `end` and `synced` are found */
	const struct journal_visitor *visitor;
	void *ctx;
	uint64_t limit;	 /* records behind it are void; JOURNAL_SCAN_TO_END: nobody knows */
	uint64_t synced; /* this much was durable, says a later header */

	/* The scan's own. */
	uint64_t size; /* of the file, or the limit */
	char *window;
	uint64_t window_at;
	size_t window_used;
	struct {
		uint64_t offset, length;
	} gaps[JOURNAL_GAPS_MAX];
	size_t gap_count;
};

void journal_scan(struct journal_scan *scan);

/* A segment whose header is lost cannot tell its records from anybody's: keep it, report it. */
void journal_scan_without_header(struct journal_scan *scan);
