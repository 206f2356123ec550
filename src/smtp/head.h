/* The header of a message on its way in: held back until it is complete, then looked at once and
 * cleaned. The body behind it never comes here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;

struct smtp_head_limits {
	size_t fields;
	size_t bytes;
};

/* What the session wants to know about it. */
struct smtp_head_facts {
	size_t received;    /* Received fields: the hops so far */
	bool has_signature; /* DKIM-Signature */
	bool has_date;
	size_t from_count;     /* From fields */
	struct str from;       /* the value of the first, when there is one */
	bool tls_optional;     /* "TLS-Required: No", RFC 8689 3 */
	bool headless;	       /* the message begins with something that is no field */
	struct str message_id; /* on one line, cut to 256 bytes; empty: there is none */
};

struct smtp_head {
	struct buf held;
	struct str text; /* when complete: all of it, with its empty line */
	bool complete;
};

/* A header of more than `max` bytes never completes: smtp_head_feed says -E2BIG. What is held
 * back is on the heap until smtp_head_done. */
void smtp_head_init(struct smtp_head *h, size_t max);
void smtp_head_done(struct smtp_head *h);

/* Take the next bytes while !h->complete. 0: held back, more is needed. 1: h->text is complete
 * (it may be a slice of `piece`) and *rest is what follows it. -E2BIG. */
int must_check smtp_head_feed(struct smtp_head *h, struct str piece, struct str *rest);

/* The message is over: everything is header. */
void smtp_head_finish(struct smtp_head *h);

/* Learn the facts; strings live in `a`. 0 or -E2BIG. */
int must_check smtp_head_examine(struct str text, const struct smtp_head_limits *limits,
				 struct arena *a, struct smtp_head_facts *out);

/* Take the name from the DKIM-Signature fields of a message that lies in a file, its header within
 * the first `max` bytes: one of ours replaces them. 0 or -errno. */
int must_check smtp_head_retire_signatures(int fd, size_t max, struct err *err);

struct smtp_head_cleaning {
	bool submitted;	   /* by a user */
	bool part;	   /* the header is not the message's own: what users tell counts alone */
	struct str server; /* our name: who else writes under it, lies */
};

/* Would smtp_head_clean change nothing? */
bool smtp_head_is_clean(struct str text, const struct smtp_head_cleaning *c);

/* Append the header without the fields that must not pass on: Bcc and what only our own server may
 * write, and for submitted mail what tells strangers about the sender's machine. */
void smtp_head_clean(struct str text, const struct smtp_head_cleaning *c, struct buf *out);
