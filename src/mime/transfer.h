/* Content-Transfer-Encoding (RFC 2045 6): bodies decoded and encoded piece by piece. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum mime_encoding {
	MIME_ENCODING_7BIT,
	MIME_ENCODING_8BIT,
	MIME_ENCODING_BINARY,
	MIME_ENCODING_QUOTED_PRINTABLE,
	MIME_ENCODING_BASE64,
	MIME_ENCODING_UNKNOWN,
};

/* The field's value; 7bit for an empty one. */
enum mime_encoding mime_encoding_parse(struct str value);

/* Does the body stand in the message as it is? */
static inline bool mime_encoding_is_identity(enum mime_encoding e)
{
	return e <= MIME_ENCODING_BINARY;
}

#define MIME_QP_BLANKS_MAX     64
#define MIME_BASE64_LINE_BYTES 57

enum mime_qp_state {
	MIME_QP_TEXT,
	MIME_QP_ESCAPE, /* after '=' */
	MIME_QP_DIGIT,	/* after '=' and one digit */
	MIME_QP_SOFT,	/* after '=' and white space: a line end must follow */
};

/* Decodes anything, as well as it can be: base64 skips what is no digit and goes on after
 * padding; quoted-printable keeps what is no escape. Line ends of text stay as they are, CRLF or
 * LF. An unknown encoding passes through. */
struct mime_decoder {
	enum mime_encoding encoding;
	size_t errors; /* places that were not as the RFC wants them */

	uint32_t bits; /* base64: digits not yet written */
	unsigned n_digits;

	enum mime_qp_state state;
	char digit;
	bool after_cr;
	unsigned n_blanks; /* white space that is dropped if the line ends */
	char blanks[MIME_QP_BLANKS_MAX];
};

void mime_decoder_init(struct mime_decoder *d, enum mime_encoding encoding);
void mime_decoder_put(struct mime_decoder *d, struct str piece, struct buf *out);
void mime_decoder_finish(struct mime_decoder *d, struct buf *out);

/* Lines of at most 76 bytes that end in CRLF. Quoted-printable takes text: LF and CRLF are line
 * ends, other controls are escaped. The remaining encodings pass through. */
struct mime_encoder {
	enum mime_encoding encoding;
	unsigned n_line; /* base64: bytes kept; quoted-printable: column */
	char line[MIME_BASE64_LINE_BYTES];
	char blank; /* white space that is escaped if the line ends, or '\0' */
	bool after_cr;
};

void mime_encoder_init(struct mime_encoder *e, enum mime_encoding encoding);
void mime_encoder_put(struct mime_encoder *e, struct str piece, struct buf *out);
void mime_encoder_finish(struct mime_encoder *e, struct buf *out);
