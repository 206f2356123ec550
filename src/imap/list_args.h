/* The arguments of LIST (RFC 3501 6.3.8) with those of RFC 5258, 5819 and 6154. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

struct imap_lexer;

enum imap_list_option {
	/* Selection: only mailboxes that... */
	IMAP_LIST_SUBSCRIBED = 1 << 0,
	IMAP_LIST_SPECIAL_USE = 1 << 1,
	IMAP_LIST_RECURSIVE = 1 << 2, /* or have children that... */
	/* Return: say of each... */
	IMAP_LIST_TELL_SUBSCRIBED = 1 << 3,
	IMAP_LIST_EXTENDED = 1 << 4, /* the client knows RFC 5258 */
};

struct imap_list_args {
	unsigned options;
	struct str *patterns; /* with the reference in front, in UTF-8 */
	size_t n;
	unsigned status; /* items of STATUS to return, or 0 */
	bool ask_root;	 /* the pattern was empty: only the separator is asked for */
};

/* Everything behind "LIST" to the end of the command. */
int may_suspend must_check imap_list_args_parse(struct imap_lexer *lx, struct imap_list_args *out);

/* The same for LSUB, which knows a reference and one pattern only. */
int may_suspend must_check imap_lsub_args_parse(struct imap_lexer *lx, struct imap_list_args *out);
