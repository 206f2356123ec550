/* What a FETCH asks for (RFC 3501 6.4.5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imap/section.h"

struct imap_lexer;

enum imap_fetch_kind {
	IMAP_FETCH_UID,
	IMAP_FETCH_FLAGS,
	IMAP_FETCH_INTERNALDATE,
	IMAP_FETCH_SIZE,
	IMAP_FETCH_ENVELOPE,
	IMAP_FETCH_BODY,
	IMAP_FETCH_BODYSTRUCTURE,
	IMAP_FETCH_SECTION,
	IMAP_FETCH_BINARY, /* RFC 3516 */
	IMAP_FETCH_BINARY_SIZE,
	IMAP_FETCH_MODSEQ,  /* RFC 7162 */
	IMAP_FETCH_PREVIEW, /* RFC 8970 */
	IMAP_FETCH_EMAILID, /* RFC 8474 */
	IMAP_FETCH_THREADID,
	IMAP_FETCH_SAVEDATE, /* RFC 8514 */
};

struct imap_fetch_item {
	enum imap_fetch_kind kind;
	/* Of a section: */
	const char *name; /* what the response calls it when not BODY[...] */
	struct imap_section section;
	bool peek;	 /* does not set \Seen */
	bool is_partial; /* only [offset, offset + length) */
	uint32_t offset, length;
};

struct imap_fetch_items {
	struct imap_fetch_item *v;
	size_t n;
	bool marks_seen; /* there is a section without PEEK */
	bool needs_date_or_size;
};

/* Parse one item, a list or a macro. */
int may_suspend must_check imap_fetch_items_parse(struct imap_lexer *lx,
						  struct imap_fetch_items *out);
