/* The arguments of GETMETADATA and SETMETADATA (RFC 5464). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "store/store.h"

struct imap_lexer;

#define IMAP_METADATA_ENTRIES_MAX 200

struct imap_getmetadata_args {
	struct str box; /* empty: the server */
	struct str *entries;
	size_t n;
	uint64_t max_size; /* of a value that is told */
	unsigned depth;	   /* levels below an entry that are told too; UINT_MAX: all */
};

int may_suspend must_check imap_getmetadata_args_parse(struct imap_lexer *lx,
						       struct imap_getmetadata_args *out);

struct imap_setmetadata_args {
	struct store_meta *v;
	size_t n;
};

int may_suspend must_check imap_setmetadata_args_parse(struct imap_lexer *lx,
						       struct imap_setmetadata_args *out);
