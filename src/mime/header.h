/* Header fields of a message (RFC 5322 2.2), as found: CRLF or LF line ends, folded or not, with
 * whatever else got between them. The header ends at the first empty line or with the bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/str.h"

struct arena;

/* Longest field name that is recognised. RFC 5322 knows no limit; real names have 40 bytes. */
#define MIME_FIELD_NAME_MAX 128

struct mime_header_limits {
	size_t fields; /* counts garbage lines too */
	size_t line;   /* bytes of one line with its end; a folded field has several lines */
	size_t total;  /* bytes of the whole header */
};

#define MIME_HEADER_NO_LIMITS ((struct mime_header_limits){ SIZE_MAX, SIZE_MAX, SIZE_MAX })

struct mime_field {
	struct str name;  /* as written */
	struct str value; /* after the colon, folds included, without the final line end */
	struct str whole; /* from the name through the final line end */
	bool is_garbage;  /* not a field: name and value are empty, whole is the line */
};

struct mime_header_iter {
	struct str rest; /* what follows the last field returned; at the end: the body */
	struct mime_header_limits limits;
	size_t fields;
	size_t total;
	bool ended;
};

/* `message` may be a header alone or a whole message; fields are slices of it. */
void mime_header_begin(struct mime_header_iter *it, struct str message,
		       struct mime_header_limits limits);

/* Next field or garbage line. 1; 0 at the end, then it->rest is the body; -E2BIG at a limit,
 * again at every later call. */
int must_check mime_header_next(struct mime_header_iter *it, struct mime_field *out);

/* Next field of that name, in any case; results as above. */
int must_check mime_header_next_named(struct mime_header_iter *it, struct str name,
				      struct mime_field *out);

/* First field of that name, without limits. */
bool mime_header_find(struct str message, struct str name, struct mime_field *out);

/* Bytes of the header with the empty line that ends it: where the body starts. */
size_t mime_header_size(struct str message);

/* The value on one line (RFC 5322 2.2.3) without white space around it. A slice of `value` when
 * nothing was folded, else a copy in `a`. */
struct str mime_field_unfold(struct str value, struct arena *a);

/* A field whose occurrences the scanner counts. */
struct mime_header_watch {
	struct str name;
	size_t count;
};

enum mime_header_scan_state {
	MIME_SCAN_START, /* at the first byte of a line */
	MIME_SCAN_CR,	 /* the line began with CR */
	MIME_SCAN_NAME,
	MIME_SCAN_COLON, /* white space after a name */
	MIME_SCAN_REST,	 /* nothing of interest before the line end */
};

/* The same grammar for a message that streams by: counts, keeps nothing but a field name. */
struct mime_header_scan {
	struct mime_header_limits limits;
	struct mime_header_watch *watch; /* borrowed */
	size_t n_watch;
	size_t fields; /* fields, not garbage lines */
	size_t garbage;
	size_t total; /* bytes of the header so far, its empty line included */
	size_t line;  /* bytes of the current line so far */
	bool ended;   /* the empty line has passed: all else is body */
	bool too_big;
	bool in_field; /* a line that begins with WSP continues a field */
	enum mime_header_scan_state state;
	size_t name_n;
	char name[MIME_FIELD_NAME_MAX];
};

void mime_header_scan_init(struct mime_header_scan *s, struct mime_header_limits limits,
			   struct mime_header_watch *watch, size_t n_watch);

/* Feed the next bytes of the message, in pieces of any size. How many of them belong to the
 * header (all of them while !s->ended), or -E2BIG. */
ssize_t must_check mime_header_scan(struct mime_header_scan *s, struct str piece);
