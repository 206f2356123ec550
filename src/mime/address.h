/* Address lists of From, To and the like: RFC 5322 3.4 with the obsolete syntax of 4.4, UTF-8 as in
 * RFC 6532, and what broken clients make of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

struct arena;

enum mime_addr_kind {
	MIME_ADDR_MAILBOX,
	MIME_ADDR_GROUP_START, /* only `name` is set; its members follow */
	MIME_ADDR_GROUP_END,   /* nothing is set */
};

/* The parts as IMAP's ENVELOPE wants them: quotes, backslashes and comments removed, runs of
 * white space made one space, control characters dropped; encoded words untouched. Absent parts
 * are empty. */
struct mime_addr {
	enum mime_addr_kind kind;
	struct str name;   /* display name, else the last comment; group name */
	struct str route;  /* obsolete source route: "@a,@b" */
	struct str local;  /* local part; all of an address that has no '@' */
	struct str domain; /* or domain literal with its brackets */
};

struct mime_addr_limits {
	size_t items; /* members and group boundaries */
	size_t bytes; /* of the value; the rest of a longer one is not looked at */
};

#define MIME_ADDR_LIMITS ((struct mime_addr_limits){ 1000, 65536 })

struct mime_addr_list {
	struct mime_addr *items;
	size_t n;
	bool truncated; /* a limit was reached: there was more */
};

/* Parse a field's value, folded or not. Never fails: what makes no sense becomes an address
 * without domain. Every GROUP_START is followed by its GROUP_END, also at a limit. The result
 * lives in `a`. */
void mime_addr_list_parse(struct str value, struct mime_addr_limits limits, struct arena *a,
			  struct mime_addr_list *out);

/* RFC 5321 4.5.3.1 sets 64 and 255. Rewritten senders (SRS, VERP) exceed the former in practice. */
#define MIME_ADDR_LOCAL_MAX  256
#define MIME_ADDR_DOMAIN_MAX 255

struct mime_addr_spec {
	struct str local;  /* unquoted */
	struct str domain; /* as written; a literal has its brackets */
};

/* One bare, strict addr-spec: dot-atom or quoted-string, '@', domain or literal; valid UTF-8; no
 * white space or comments. 0 or -EINVAL. A quoted local part is unquoted into `a`, all else is a
 * slice. */
int must_check mime_addr_spec_parse(struct str text, struct arena *a, struct mime_addr_spec *out);

/* Write a local part or display name, quoted where RFC 5322 needs it. */
void mime_addr_local_write(struct buf *out, struct str local);
void mime_addr_name_write(struct buf *out, struct str name);
