/* The feed of a lexer that reads from a client's stream. */
#pragma once

#include "imap/lexer.h"

struct stream;

struct imap_input {
	struct imap_feed feed;
	struct stream *stream;
};

/* The stream stays the caller's and outlives the input. Besides the stream's errors the feed
 * returns -ENODATA at the end of the stream. */
void imap_input_init(struct imap_input *in, struct stream *s);
