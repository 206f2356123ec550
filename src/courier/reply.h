/* Replies of an SMTP or LMTP server (RFC 5321 4.2), line by line into one that can be logged. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

#define REPLY_LINE_MAX	2048 /* RFC 5321 4.5.3.1.5: 512; a longer line is cut */
#define REPLY_LINES_MAX 200
#define REPLY_TEXT_MAX	500

struct courier_reply {
	int code;	 /* of the last line; 0 before the first */
	char status[12]; /* RFC 3463: as the server says, or "5.0.0" by the code */
	bool enhanced;	 /* the server said it */
	unsigned lines;
	size_t n;
	char text[REPLY_TEXT_MAX]; /* "550 5.1.1 User unknown": all lines as one, printable */
};

enum {
	REPLY_DONE,
	REPLY_MORE,
};

void courier_reply_init(struct courier_reply *r);

/* Add the next line, without its line end. REPLY_DONE after the last one, REPLY_MORE, or -EPROTO
 * when this is no reply or one without an end. */
int must_check courier_reply_add(struct courier_reply *r, struct str line);

/* The text behind the code. */
struct str courier_reply_rest(struct str line);

static inline struct str courier_reply_text(const struct courier_reply *r)
{
	return str_of(r->text, r->n);
}
