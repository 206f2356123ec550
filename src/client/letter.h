/* A message on standard input as sendmail takes it, and who it is for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;

#define LETTER_RECIPIENTS_MAX 1000
#define LETTER_HEADER_MAX     ((size_t)1 << 20)

struct letter {
	struct arena *arena;
	int fd; /* a file in memory, at its beginning */
	struct str header;
	bool has_from;
	struct str *recipients;
	size_t recipient_count;
};

/* Read everything, to a line with a dot alone where that ends a message. A line "From ..." at
 * the top, as in a mailbox file, is left out. 0 or -errno. */
int must_check letter_read(struct letter *l, int from, bool dot_ends, struct arena *a,
			   struct err *err);

/* One more recipient, or several of an address list; one without a domain is at `domain`. 0;
 * -EINVAL for what is no address, -E2BIG. */
int must_check letter_add(struct letter *l, struct str addresses, struct str domain,
			  struct err *err);

/* Those of To, Cc and Bcc. */
int must_check letter_add_header(struct letter *l, struct str domain, struct err *err);
