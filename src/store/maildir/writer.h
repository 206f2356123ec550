/* A message file while it is being written, in tmp/.
 *
 * Wire bytes with CRLF line ends become LF on disk, as Dovecot keeps them. What would not come
 * back the same (CR CR LF; a bare LF, where those matter) makes the whole file keep its wire
 * bytes: then its two sizes are equal, which tells readers so. */
#pragma once

#include "store/store.h"

struct err;

struct message_writer {
	int dirfd; /* of the mailbox, borrowed */
	int fd;	   /* -1: none open */
	char path[160];
	enum store_line_ends lines;
	bool verbatim;
	bool held_cr; /* a CR came that may belong to a line end */
	char last;    /* the byte written last */
	char *buf;    /* from the heap: output, then a piece of input */
	size_t n;
	uint64_t size, wire_size; /* of what was written so far */
};

/* Create tmp/<unique>. */
int must_check message_writer_begin(struct message_writer *w, int dirfd, struct str unique,
				    enum store_line_ends lines, struct err *err);
int must_check message_writer_put(struct message_writer *w, struct str bytes, struct err *err);
int must_check message_writer_put_file(struct message_writer *w, int fd, uint64_t offset,
				       uint64_t length, struct err *err);
/* Everything is in the file; sizes are final. The file stays open, for its times and a sync. */
int must_check message_writer_end(struct message_writer *w, struct err *err);

/* Close; the file keeps its name. */
void message_writer_close(struct message_writer *w);
/* Close and remove. Harmless on a closed one. */
void message_writer_abort(struct message_writer *w);
