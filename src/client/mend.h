/* From the bytes of a message as a file or a pipe has it to those that go behind DATA: CR LF at the
 * end of every line, also of the last; dots doubled (RFC 5321 4.5.2); a space for what no server
 * takes: NUL, and CR without LF. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct buf;

struct mend {
	bool in_line; /* the last byte did not end a line */
	bool cr;      /* a CR was the last byte, and is held back */
};

#define MEND_INIT ((struct mend){ 0 })

/* What comes out of `in` grows by at most this factor, and two bytes. */
#define MEND_GROWTH 2

/* Append what the next bytes become. */
void mend_bytes(struct mend *m, struct str in, struct buf *out);

/* Append what ends the last line, where that has no end. */
void mend_end(struct mend *m, struct buf *out);
