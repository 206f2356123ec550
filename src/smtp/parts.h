/* Headers of the parts of a submitted message, and of messages in it, cleaned while the body
 * streams by: of the body itself nothing is copied. What is signed (multipart/signed) stays as it
 * is, and so does what is nested deeper than 20. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"
#include "mime/structure.h"
#include "smtp/head.h"

#define SMTP_PARTS_DEPTH 20

/* A line that may be a boundary: dashes, boundary, dashes, blanks, line end. */
#define SMTP_PARTS_LINE (MIME_BOUNDARY_MAX + 32)

enum smtp_parts_state {
	SMTP_PARTS_TEXT,       /* within a line that is no boundary */
	SMTP_PARTS_LINE_START, /* at the first bytes of a line, which are in `line` */
	SMTP_PARTS_HEADER,     /* of a part: held back */
};

struct smtp_parts {
	struct smtp_head_cleaning cleaning;
	enum smtp_parts_state state;
	struct smtp_parts_level {
		char boundary[MIME_BOUNDARY_MAX];
		size_t n;
		bool digest;
	} levels[SMTP_PARTS_DEPTH]; /* the multiparts that are open, the outermost first */
	size_t depth;
	char line[SMTP_PARTS_LINE];
	size_t line_n;
	bool digest;	  /* the part that begins is one of a digest */
	struct buf held;  /* a header that is not complete */
	size_t held_line; /* where its last line begins */
	struct buf cleaned;
};

/* Is there anything to look for in a message with this header? */
bool smtp_parts_wanted(struct str header);

void smtp_parts_init(struct smtp_parts *p, const struct smtp_head_cleaning *c, struct str header);
void smtp_parts_done(struct smtp_parts *p);

/* Take bytes of the body. How many; *out is what comes out for them: a slice of `in`, or where the
 * state is that of a header (*header) bytes that live until the next call, and mostly none. */
size_t must_check smtp_parts_feed(struct smtp_parts *p, struct str in, struct str *out,
				  bool *header);

/* The body is over: what was held back. */
struct str smtp_parts_finish(struct smtp_parts *p);
