/* BODY and BODYSTRUCTURE (RFC 3501 7.4.2): the tree of a message's parts. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct mime_part;

struct mime_bodystructure {
	struct str message; /* as on disk: the envelopes of messages within come from it */
	bool wire;	    /* its line ends are those of the wire; else sizes count LF as CRLF */
	bool extended;	    /* BODYSTRUCTURE; else BODY */
	struct arena *a;
};

void mime_bodystructure_write(struct buf *b, const struct mime_bodystructure *how,
			      const struct mime_part *part);
