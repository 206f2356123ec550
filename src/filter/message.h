/* A message on its way through: header lines in memory, and behind them a file. */
#pragma once

#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct dkim_fields;
struct err;

#define MESSAGE_HEADER_MAX ((size_t)4 << 20)
#define MESSAGE_PIECE	   65536

struct message {
	int fd; /* borrowed */
	uint64_t size;
	struct str header; /* all of it, the lines on top included, with its empty line */
	uint64_t body;	   /* where the body begins in the file */
};

/* Read the header. `head` are the lines that stand before the file. Blocking, as the next one is.
 * 0, -E2BIG or the error of read(2). */
int must_check message_open(struct message *m, int fd, uint64_t size, struct arena *a,
			    struct err *err);

/* The same for a message that gets lines on top. A head that ends in an empty line makes all of the
 * file a body. */
int must_check message_put_head(struct message *m, struct str head, struct arena *a);

/* Give the body to `sink`, piece by piece. 0, -EIO when the file is shorter than it was said, or
 * the error of read(2). */
int must_check message_read_body(const struct message *m, void (*sink)(void *ctx, struct str piece),
				 void *ctx, struct err *err);

/* Who wrote it, by the first address of the first From field: "user@domain" in lower case, or
 * empty. Lives in `a`. */
struct str message_author(const struct dkim_fields *fields, struct arena *a);

/* The domains of all authors in all From fields, each once and in lower case. A message has one of
 * them as a rule. */
#define MESSAGE_AUTHORS_MAX 8
struct message_authors {
	struct str domains[MESSAGE_AUTHORS_MAX];
	size_t count;
	bool more; /* there are others, or may be: a limit was reached */
};
void message_author_domains(const struct dkim_fields *fields, struct arena *a,
			    struct message_authors *out);
