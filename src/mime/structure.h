/* A message as a tree of parts (RFC 2045, 2046): what IMAP's BODYSTRUCTURE and BODY[] need, and
 * where a filter finds the attachments. One pass, linear in the size of the message whatever its
 * boundaries. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mime/param.h"
#include "mime/transfer.h"

struct arena;

/* Longest boundary that is recognised; RFC 2046 5.1.1 allows 70. */
#define MIME_BOUNDARY_MAX 200
/* Longest value of a Content-* field that is kept; longer ones are cut. */
#define MIME_STRUCTURE_VALUE_MAX 8192

struct mime_structure_limits {
	unsigned depth; /* of multiparts and messages in each other; the whole has 0 */
	unsigned parts; /* all together */
};

#define MIME_STRUCTURE_LIMITS ((struct mime_structure_limits){ 100, 10000 })

/* A stretch of the message. It is counted twice, since mail rests with LF line ends on disk and
 * travels with CRLF: octets are what is there, wire octets what it has with every bare LF as
 * CRLF. */
struct mime_extent {
	size_t offset; /* octets from the start of the message */
	size_t size;   /* octets */
	size_t wire_size;
	size_t lines; /* line ends */
};

enum mime_part_kind {
	MIME_PART_LEAF,
	MIME_PART_MULTIPART, /* children in order; none when its boundary never came */
	MIME_PART_MESSAGE,   /* message/rfc822 or message/global: one child, the message within */
};

struct mime_part {
	enum mime_part_kind kind;
	struct mime_part *parent;
	struct mime_part *next; /* sibling */
	struct mime_part *children, *last_child;

	struct mime_content_type type;
	enum mime_encoding encoding;
	struct str encoding_name; /* lower case; "7bit" by default */
	struct mime_disposition disposition;
	bool has_disposition;
	/* Unfolded field values; p == NULL when the field is absent. */
	struct str id, description, language, location, md5;

	/* The header has the empty line at its end, unless it was missing. The body of a part
	 * ends before the line end that belongs to the boundary behind it (RFC 2046 5.1.1). */
	struct mime_extent header, body;
};

struct mime_structure {
	struct mime_part *root;
	unsigned parts;
	bool truncated; /* a limit left something within a part unexplored */
};

/* Explore a whole message, with LF or CRLF line ends or both. Never fails. Everything in *out
 * lives in `a`; it does not refer to `message`.
 *
 * Types are made sound: a missing or invalid Content-Type gives text/plain (message/rfc822 in a
 * digest), and so does a multipart without a usable boundary; what may not be explored, at a
 * limit or because an inner message is encoded, gives application/octet-stream. So type and kind
 * always agree. */
void mime_structure_parse(struct str message, struct mime_structure_limits limits, struct arena *a,
			  struct mime_structure *out);

/* The part with an IMAP section number (RFC 9051 6.4.5): path {1, 2} is "1.2"; n >= 1. NULL when
 * there is none. */
const struct mime_part *mime_part_find(const struct mime_part *root, const uint32_t *path,
				       size_t n);

/* The bytes of an extent. */
static inline struct str mime_extent_of(struct str message, struct mime_extent e)
{
	return str_sub(message, e.offset, e.size);
}
