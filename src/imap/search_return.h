/* What a search is to return and how: RETURN options of RFC 4731 (ESEARCH), 5182 (SEARCHRES), 5267
 * (ESORT) and 9394 (PARTIAL). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "imap/partial.h"

struct imap_found;
struct imap_session;

enum imap_return_what {
	IMAP_RETURN_MIN = 1 << 0,
	IMAP_RETURN_MAX = 1 << 1,
	IMAP_RETURN_ALL = 1 << 2,
	IMAP_RETURN_COUNT = 1 << 3,
	IMAP_RETURN_PARTIAL = 1 << 4,
	IMAP_RETURN_SAVE = 1 << 5,
	IMAP_RETURN_CONTEXT = 1 << 6, /* RFC 5267 4.2: only a hint */
	IMAP_RETURN_UPDATE = 1 << 7,  /* RFC 5267 4.3 */
};

struct imap_return {
	bool given;		     /* there was a RETURN */
	bool extended;		     /* answer with ESEARCH */
	unsigned what;		     /* enum imap_return_what */
	struct imap_partial partial; /* positions among the results */
	bool sorted;		     /* the results are in an order of their own */
	bool modseq; /* RFC 7162 3.1.5: tell the highest mod-sequence of what is returned */
};

/* Parse " RETURN (...)" if that is what follows; the default is an untagged SEARCH, or what
 * IMAP4rev2 has instead. */
int must_check imap_return_parse(struct imap_session *s, struct imap_return *out);

/* Write the answer, and save what is to be saved. `name` is that of the old response. 0, or the
 * failure of the stream. */
int may_suspend must_check imap_return_write(struct imap_session *s, const struct imap_return *how,
					     const char *name, const struct imap_found *found);

/* RFC 5182 2.1: a search with SAVE that failed leaves nothing saved. */
void imap_return_failed(struct imap_session *s, const struct imap_return *how);
