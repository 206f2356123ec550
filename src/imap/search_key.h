/* The condition of a SEARCH (RFC 3501 6.4.4) as a tree. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "imap/seqset.h"
#include "mime/facts.h"
#include "store/store.h"

struct imap_search_found;
struct imap_session;

#define IMAP_SEARCH_KEYS_MAX 2000 /* of one command */

/* In the order of what it costs to find out. */
enum imap_search_kind {
	/* What the view knows. */
	IMAP_SEARCH_ALL,
	IMAP_SEARCH_SEQS,
	IMAP_SEARCH_UIDS,  /* of a key that is kept: the messages that SEQS stood for */
	IMAP_SEARCH_FLAGS, /* has all of `with` and none of `without` */
	IMAP_SEARCH_KEYWORD,
	IMAP_SEARCH_MODSEQ, /* RFC 7162 3.1.5 */
	IMAP_SEARCH_EMAILID,
	IMAP_SEARCH_NONE,
	/* May look at the file. */
	IMAP_SEARCH_LARGER,
	IMAP_SEARCH_SMALLER,
	IMAP_SEARCH_DATE,    /* INTERNALDATE in [from, to] */
	IMAP_SEARCH_YOUNGER, /* RFC 5032 */
	IMAP_SEARCH_OLDER,
	IMAP_SEARCH_SAVED_DATE, /* RFC 8514 */
	/* Read the header. */
	IMAP_SEARCH_SENT_DATE,
	IMAP_SEARCH_HEADER,
	/* Read everything. */
	IMAP_SEARCH_BODY,
	IMAP_SEARCH_TEXT,
	/* Of others. */
	IMAP_SEARCH_AND,
	IMAP_SEARCH_OR,
	IMAP_SEARCH_NOT,
};

struct imap_search_key {
	enum imap_search_kind kind;
	struct imap_search_key *children, *next;
	unsigned cost;	  /* of the most expensive key in it */
	bool asks_modseq; /* in the root: some key is MODSEQ */
	struct imap_seqset seqs;
	struct store_uids uids;
	uint32_t with, without;		 /* enum store_flag */
	uint64_t keyword;		 /* its bit */
	uint64_t number;		 /* bytes, seconds or mod-sequence */
	int32_t from, to;		 /* days since the epoch */
	struct str field;		 /* of HEADER */
	int facts_key;			 /* enum mime_facts_key that has all such fields, or -1 */
	struct mime_facts_fields fields; /* it, if it is kept */
	struct str text;		 /* folded: mime/fold.h */
	struct imap_search_found *found; /* what the full-text index says, or NULL */
};

/* A copy in `a` that stays right when messages come and go. */
struct imap_search_key *imap_search_key_keep(struct imap_session *s,
					     const struct imap_search_key *k, struct arena *a);

/* Parse the keys of SEARCH, perhaps with CHARSET before them, to the end of the command.
 * -EBADMSG as ever; -ENOTSUP when the charset is not known. The cheap keys of each conjunction
 * come first. */
int may_suspend must_check imap_search_parse(struct imap_session *s, struct imap_search_key **out);

/* The same for SORT and THREAD: the charset is always there, without a word before it. */
int may_suspend must_check imap_search_parse_in_charset(struct imap_session *s,
							struct imap_search_key **out);
