/* The contents of one stored message, read as far as they are asked for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/str.h"
#include "mime/facts.h"
#include "mime/structure.h"
#include "store/store.h"

struct imap_section;
struct stream;

/* Larger messages are explored up to here. */
#define IMAP_MESSAGE_EXPLORE_MAX ((uint64_t)256 << 20)

struct imap_message {
	struct store_view *view;
	uint32_t seq;
	struct arena *a;    /* for what is derived from the message */
	struct arena bytes; /* for the message itself, until imap_message_release */
	struct store_file file;
	struct str content; /* the first bytes of the file */
	bool open, has_header, has_all, has_structure;
	size_t header_size; /* valid once it was read */
	struct mime_structure structure;
	struct mime_facts_parts parts; /* n == 0: not known */
};

void imap_message_init(struct imap_message *m, struct store_view *view, uint32_t seq,
		       struct arena *a);
void imap_message_done(struct imap_message *m);

/* Each makes sure of one thing: the open file, the header in `content`, the whole message there,
 * its structure. 0, -ENOENT (expunged), or the store's error. */
int must_check imap_message_open(struct imap_message *m);
int must_check imap_message_header(struct imap_message *m, struct str *out);
int must_check imap_message_content(struct imap_message *m, struct str *out);
int must_check imap_message_structure(struct imap_message *m);

/* Take the places of the parts from what the store knows, so that a part is found without reading
 * the message. No harm is done when it does not know them. */
void imap_message_know(struct imap_message *m, const struct mime_facts *f);

/* When it came into the mailbox, or INT64_MIN. */
int64_t imap_message_saved(struct store_view *view, uint32_t seq, struct arena *a);

/* Give back the memory that the bytes take: before waiting for a slow client. Slices of them are
 * gone; the structure stays. */
void imap_message_release(struct imap_message *m);

enum imap_piece_kind {
	IMAP_PIECE_NIL,	 /* there is no such part */
	IMAP_PIECE_TEXT, /* in memory */
	IMAP_PIECE_FILE
};

/* What a section stands for. */
struct imap_piece {
	enum imap_piece_kind kind;
	struct str text;
	uint64_t offset; /* in the file */
	uint64_t skip;	 /* CRLF bytes to leave out at its beginning */
	uint64_t size;	 /* CRLF bytes from there */
};

int must_check imap_message_locate(struct imap_message *m, const struct imap_section *section,
				   struct imap_piece *out);

/* Only bytes [offset, offset + length) of it. */
void imap_piece_cut(struct imap_piece *p, uint64_t offset, uint64_t length);
uint64_t imap_piece_size(const struct imap_piece *p);

/* Takes bytes, which it may change in place; what it returns below 0 ends the giving. */
typedef int may_suspend imap_piece_sink(void *ctx, char *bytes, size_t n);

/* Give the bytes of a piece that is not NIL to somebody: exactly as many as its size says. 0, the
 * sink's failure, or -EBADMSG or -EIO when the file was not what it should be. */
int may_suspend must_check imap_message_give(struct imap_message *m, const struct imap_piece *p,
					     imap_piece_sink *sink, void *ctx);

/* The bytes of a piece that is not NIL: exactly as many as its size says. 0, or -EBADMSG or -EIO
 * when the file was not what it should be; the failure of the stream is its own. */
int may_suspend imap_message_send(struct imap_message *m, const struct imap_piece *p,
				  struct stream *to);
