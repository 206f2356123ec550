/* Canonicalization (RFC 6376 3.4): what a header field or a body looks like to a signature. The
 * body streams by; what is kept of it does not depend on its size. Lines end in CR LF; a CR or LF
 * by itself is a byte like any other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum dkim_canon {
	DKIM_SIMPLE,
	DKIM_RELAXED,
};

/* Append a field, given with its name and without its final line end; none is appended. */
void dkim_canon_field(struct buf *out, enum dkim_canon canon, struct str field);

typedef void dkim_sink(void *ctx, struct str bytes);

struct dkim_canon_body {
	enum dkim_canon canon;
	dkim_sink *sink;
	void *ctx;
	uint64_t line_ends; /* held back: they are dropped at the end of the body */
	bool cr, wsp;	    /* held back too, in this order: white space, CR */
	bool any;	    /* something has come out */
	size_t n;
	char out[1024];
};

void dkim_canon_body_init(struct dkim_canon_body *b, enum dkim_canon canon, dkim_sink *sink,
			  void *ctx);
void dkim_canon_body_feed(struct dkim_canon_body *b, struct str piece);
void dkim_canon_body_end(struct dkim_canon_body *b);
