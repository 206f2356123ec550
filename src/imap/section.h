/* Sections of a message: what stands in BODY[...] (RFC 3501 6.4.5). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

struct imap_lexer;

enum imap_section_kind {
	IMAP_SECTION_ALL, /* the whole message, or the body of a part */
	IMAP_SECTION_HEADER,
	IMAP_SECTION_FIELDS,	 /* HEADER.FIELDS */
	IMAP_SECTION_FIELDS_NOT, /* HEADER.FIELDS.NOT */
	IMAP_SECTION_TEXT,
	IMAP_SECTION_MIME, /* the header of a part */
};

struct imap_section {
	enum imap_section_kind kind;
	uint32_t *path; /* part numbers: {1, 2} is "1.2"; none: the message itself */
	size_t depth;
	struct str *fields; /* names for FIELDS and FIELDS_NOT */
	size_t nfields;
};

/* Parse what follows '[', up to and with ']'. Field names may be literals. */
int may_suspend must_check imap_section_parse(struct imap_lexer *lx, struct imap_section *out);

/* "[1.2.HEADER.FIELDS (FROM TO)]" */
void imap_section_write(struct buf *b, const struct imap_section *section);

/* The fields of a header that a FIELDS or FIELDS_NOT section selects, with CRLF line ends and the
 * empty line behind them (which is there even when nothing was selected). */
void imap_section_filter_header(struct buf *b, struct str header,
				const struct imap_section *section);
