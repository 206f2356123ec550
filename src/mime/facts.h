/* What is known of a message without its file: made once from its bytes, kept by the store, read
 * in place.
 *
 * Two blobs, kept apart because they are read apart:
 *
 * 	hot	what SEARCH, SORT and THREAD ask of every message of a mailbox; some 300 bytes
 * 	cold	what FETCH sends: ENVELOPE, BODYSTRUCTURE, places of parts, header fields, PREVIEW
 *
 * Each begins with its version and its own size, so that the two may also stand behind each other.
 * What is too large to keep is left out; then the accessor says -ENODATA and the message has to be
 * read. A blob of another version, or one that is damaged, gives -EBADMSG. Nothing here trusts the
 * bytes: whatever they are, accessors stay within them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "mime/structure.h"

struct arena;
struct buf;

#define MIME_FACTS_VERSION  1
#define MIME_FACTS_MAX	    ((size_t)32768) /* of the two blobs together */
#define MIME_FACTS_REFS_MAX 100

/* Texts of the hot blob. */
enum mime_facts_key {
	/* Values of all fields of that name, one to a line, as SEARCH compares them: decoded and
	 * folded (mime_fold_put). */
	MIME_FACTS_SUBJECT,
	MIME_FACTS_FROM,
	MIME_FACTS_TO,
	MIME_FACTS_CC,
	MIME_FACTS_BCC,
	MIME_FACTS_MESSAGE_ID,
	/* As SORT compares them (mime_collate_put), cut to MIME_FACTS_SORT_MAX bytes. */
	MIME_FACTS_BASE_SUBJECT, /* RFC 5256 2.1 */
	MIME_FACTS_SORT_FROM,	 /* addr-mailbox of the first address */
	MIME_FACTS_SORT_TO,
	MIME_FACTS_SORT_CC,
	MIME_FACTS_DISPLAY_FROM, /* RFC 5957 */
	MIME_FACTS_DISPLAY_TO,
	MIME_FACTS_KEYS
};
#define MIME_FACTS_SEARCH_KEYS (MIME_FACTS_MESSAGE_ID + 1)
#define MIME_FACTS_SORT_MAX    ((size_t)512)

enum mime_facts_flag {
	MIME_FACTS_HAS_DATE = 1 << 0,	/* `sent` and `zone_min` are set */
	MIME_FACTS_RESPONSE = 1 << 1,	/* the subject is that of a reply or forwarded message */
	MIME_FACTS_ATTACHMENT = 1 << 2, /* there is something to be saved as a file */
	MIME_FACTS_GLOBAL = 1 << 3, /* there is a message/global: IMAP4rev2 shows it otherwise */
};

/* The blobs, with what is at a fixed place in the hot one. */
struct mime_facts {
	struct str hot, cold; /* cold.p == NULL: not at hand */
	unsigned flags;	      /* enum mime_facts_flag */
	uint16_t present;     /* bit per search key: the message has such a field */
	uint16_t missing;     /* bit per search key: too long to be kept */
	int64_t sent;	      /* Date field, seconds since the epoch */
	int16_t zone_min;     /* as in struct mime_date */
	uint64_t id;	      /* mime_msgid_hash of its Message-ID, or 0 */
	unsigned nrefs;	      /* Message-IDs of the messages it answers, oldest first */
};

/* Make both blobs, in `a`, from a message as it is stored. `wire`: its line ends are those of the
 * wire; else a bare LF counts as CRLF. Reads the message once and its text parts' first bytes
 * again. Never fails. */
void mime_facts_make(struct str message, bool wire, struct arena *a, struct mime_facts *out);

/* Take in blobs; either may be followed by other bytes. cold.p == NULL: it is not at hand, and what
 * asks for it gives -ENODATA. 0 or -EBADMSG. */
int must_check mime_facts_parse(struct str hot, struct str cold, struct mime_facts *out);

/* Bytes of the blob at the front of `s` by its own account; 0 when there is none. */
size_t mime_facts_hot_size(struct str s);
size_t mime_facts_cold_size(struct str s);

/* A text of the hot blob: empty when there is none (for search keys see also `present` and
 * `missing`). */
struct str mime_facts_key(const struct mime_facts *f, enum mime_facts_key key);

/* Reference i < nrefs, as a hash; never 0. References, else the first of In-Reply-To (RFC 5256
 * section 3), the message's own left out; of more than MIME_FACTS_REFS_MAX the first and the
 * last. */
uint64_t mime_facts_ref(const struct mime_facts *f, unsigned i);

/* Parts of the cold blob. */
enum mime_facts_section {
	MIME_FACTS_ENVELOPE,
	MIME_FACTS_BODYSTRUCTURE,
	MIME_FACTS_EXTENSIONS, /* what of BODYSTRUCTURE is not in BODY */
	MIME_FACTS_PARTS,
	MIME_FACTS_FIELDS,
	MIME_FACTS_PREVIEW,
	MIME_FACTS_SECTIONS
};
bool mime_facts_has(const struct mime_facts *f, enum mime_facts_section which);

/* Finished text of responses. -ENODATA: not kept. */
int must_check mime_facts_envelope(const struct mime_facts *f, struct str *out);
int must_check mime_facts_bodystructure(const struct mime_facts *f, struct str *out);
int must_check mime_facts_body_put(const struct mime_facts *f, struct buf *out);
/* RFC 8970; empty when there is no text. */
int must_check mime_facts_preview(const struct mime_facts *f, struct str *out);

/* The header fields that are kept, in a set of which a request makes one for all its messages.
 * False when not all of the names are. */
struct mime_facts_fields {
	uint64_t set;
};
bool mime_facts_fields_add(struct mime_facts_fields *f, struct str name);
/* Append those fields as they stand in the message, in its order, with CRLF line ends, and the
 * empty line that ends a header. */
int must_check mime_facts_fields_put(const struct mime_facts *f,
				     const struct mime_facts_fields *fields, struct buf *out);

/* Where a part is. Parts come in order, each before its children; `lines` of the extents is 0. */
struct mime_facts_part {
	enum mime_part_kind kind;
	enum mime_encoding encoding;
	unsigned depth;
	struct mime_extent header, body;
};

struct mime_facts_parts {
	const struct mime_facts_part *v;
	size_t n; /* at least 1: the message itself */
};

int must_check mime_facts_parts(const struct mime_facts *f, struct arena *a,
				struct mime_facts_parts *out);
/* As mime_part_find. The part behind one of kind MIME_PART_MESSAGE is the message within. */
const struct mime_facts_part *mime_facts_part_find(const struct mime_facts_parts *parts,
						   const uint32_t *path, size_t n);
