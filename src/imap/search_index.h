/* What the full-text index knows of the BODY and TEXT keys of a search. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"
#include "store/fts.h"

struct imap_search_key;
struct imap_session;

struct imap_search_found {
	struct fts_ids ids;
	bool exact; /* else they only may contain the text */
};

struct imap_search_index {
	bool usable;
	bool lacks; /* messages that the search looked at */
	struct fts_known known;
	/* The message asked about last. */
	int64_t id;
	bool is_known, is_cut;
};

/* Ask for all of the keys; where that fails they go without. */
void may_suspend imap_search_index_ask(struct imap_search_index *x, struct imap_session *s,
				       struct imap_search_key *root);

/* Does the message match a key? 1, 0, or -ENODATA: it has to be read. */
int imap_search_index_says(struct imap_search_index *x, const struct imap_search_key *k,
			   struct str guid);
