/* The arguments of SELECT and EXAMINE (RFC 3501 6.3.1, RFC 7162). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "store/store.h"

struct imap_session;

struct imap_select_args {
	struct str name;
	bool condstore;
	bool qresync; /* the client was here before and knew: */
	uint32_t uidvalidity;
	uint64_t modseq;
	bool has_known;
	struct store_uids known; /* the UIDs that it still has */
};

/* Everything behind the command's name to its end. */
int may_suspend must_check imap_select_args_parse(struct imap_session *s,
						  struct imap_select_args *out);

/* A set of UIDs where "*" makes no sense; in s->arena. */
int must_check imap_parse_known_uids(struct imap_session *s, struct store_uids *out);
