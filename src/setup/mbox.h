/* The mbox format, as mutt, Thunderbird and procmail write it ("mboxrd": a line of the message that
 * begins with any number of '>' and "From " gets one '>' more). Lines end in LF. Flags stand in
 * Status, X-Status and X-Keywords, as Dovecot and mutt keep them. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/str.h"

struct mbox_message {
	struct str text; /* the message; read: with LF, written: with any line ends */
	int64_t date;	 /* INT64_MIN: unknown */
	uint32_t flags;	 /* enum store_flag */
	struct str *keywords;
	size_t nkeywords;
};

/* Failures show in ferror. */
void mbox_write(FILE *out, const struct mbox_message *m);

struct mbox_reader {
	FILE *in;
	char *line;
	size_t cap;
	ssize_t n; /* bytes of the separator in `line`; 0: none was read yet, -1: the end */
};

void mbox_reader_init(struct mbox_reader *r, FILE *in);
void mbox_reader_done(struct mbox_reader *r);

/* The next message; everything in `a`. 1; 0 at the end; -EBADMSG: this is no mbox; -EFBIG. */
int must_check mbox_read(struct mbox_reader *r, struct arena *a, struct mbox_message *out);
