/* Names of message files: <base>[:2,<letters>], where base is <unique>[,S=<size>][,W=<wire
 * size>]. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#define MAILDIR_BASE_MAX 240 /* bytes of a base: room for ":2," and some flags in a file name */

struct maildir_filename {
	struct str base;    /* up to the ':' that begins the flags: the name that stays */
	struct str unique;  /* up to the first ',' of base */
	uint32_t letters;   /* bits 0-25: A-Z */
	uint32_t keywords;  /* bits 0-25: a-z */
	uint64_t size;	    /* S=, or STORE_UNKNOWN */
	uint64_t wire_size; /* W=, or STORE_UNKNOWN */
	bool canonical;	    /* maildir_suffix_write makes the same suffix from the letters */
};

/* False when it cannot be a message: begins with '.', is too long, has control characters or ':'
 * and '/' where they do not belong. Slices point into `name`. */
bool maildir_filename_parse(struct str name, struct maildir_filename *out);

/* ":2," and the letters in ASCII order. */
void maildir_suffix_write(struct buf *out, uint32_t letters, uint32_t keywords);

/* The flags that clients see, and back. Letters without an IMAP flag (P, ...) stay as they are. */
uint32_t maildir_letters_to_flags(uint32_t letters);
uint32_t maildir_letters_with_flags(uint32_t letters, uint32_t flags);
