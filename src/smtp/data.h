/* From the bytes behind DATA or BDAT to the message: dots removed (RFC 5321 4.5.2), the end
 * found, line ends made safe.
 *
 * The end of data is CR LF . CR LF and nothing else. Any other spelling of a line end (LF alone,
 * CR alone, and all their mixtures with dots) is what lets one server see two messages where
 * another sees one. Under SMTP_DATA_STRICT it is only noted, for the session refuses the message
 * at its end; under SMTP_DATA_NORMALIZE the message comes out with CR LF for every LF and a
 * space for every lone CR, so that nobody after us sees more than one message either. A NUL is
 * noted in both. Under SMTP_DATA_BINARY (BODY=BINARYMIME, BDAT only) the bytes pass as they are.
 *
 * No I/O and no copies: what comes out are slices of what came in. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

enum smtp_data_policy {
	SMTP_DATA_STRICT,
	SMTP_DATA_NORMALIZE,
	SMTP_DATA_BINARY,
};

enum smtp_data_finding {
	SMTP_DATA_BARE_LF = 1,
	SMTP_DATA_BARE_CR = 2,
	SMTP_DATA_NUL = 4,
	SMTP_DATA_8BIT = 8,
};

enum smtp_data_state {
	SMTP_DATA_LINE_START, /* after CR LF, or at the very beginning */
	SMTP_DATA_SOFT_START, /* after a lone LF: a dot is removed, but cannot end the data */
	SMTP_DATA_TEXT,
	SMTP_DATA_CR,	  /* CR is held back until it is known what follows */
	SMTP_DATA_DOT,	  /* a dot at LINE_START, held back */
	SMTP_DATA_DOT_CR, /* that dot and a CR, held back */
	SMTP_DATA_END,
};

struct smtp_data {
	enum smtp_data_policy policy;
	enum smtp_data_state state;
	bool dots;	   /* DATA: dots are doubled, and one alone ends it; not so with BDAT */
	unsigned found;	   /* enum smtp_data_finding, or'ed */
	uint64_t size;	   /* bytes put out so far */
	uint64_t line;	   /* of these, in the line that is not ended yet */
	uint64_t line_max; /* longest line, without its end */
};

#define SMTP_DATA_PIECES 32

/* Slices of the input, or of literals. */
struct smtp_pieces {
	struct str v[SMTP_DATA_PIECES];
	size_t count;
};

void smtp_data_init(struct smtp_data *d, enum smtp_data_policy policy, bool dots);

/* Decode the front of `in` into *out. Returns how much of it was used up: less than all when the
 * pieces ran out or the end was found (see smtp_data_ended). */
size_t smtp_data_decode(struct smtp_data *d, struct str in, struct smtp_pieces *out);

/* The end of data by BDAT LAST: put out what is still held back, and the line end that a last
 * line of text may lack. */
void smtp_data_finish(struct smtp_data *d, struct smtp_pieces *out);

static inline bool smtp_data_ended(const struct smtp_data *d)
{
	return d->state == SMTP_DATA_END;
}
