/* BODY and BODYSTRUCTURE (RFC 3501 7.4.2): the tree of a message's parts. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct mime_part;

/* A stretch of a BODYSTRUCTURE that its BODY does not have. */
struct mime_extension {
	size_t from, to; /* offsets in the buffer */
};

struct mime_extensions {
	struct mime_extension *v; /* in order, in the arena */
	size_t n, cap;
};

struct mime_bodystructure {
	struct str message; /* as on disk: the envelopes of messages within come from it */
	bool wire;	    /* its line ends are those of the wire; else sizes count LF as CRLF */
	bool extended;	    /* BODYSTRUCTURE; else BODY */
	bool rev2;	    /* message/global is shown as message/rfc822 is (RFC 9051 7.5.2) */
	struct mime_extensions *extensions; /* of what is written, or NULL */
	struct arena *a;
};

void mime_bodystructure_write(struct buf *b, const struct mime_bodystructure *how,
			      const struct mime_part *part);
