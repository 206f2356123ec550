/* Answers that took work, kept with their mailbox: the order of a SORT, the text of a THREAD. A
 * webmail connects anew for every page and asks the same again. What a message has to say to
 * these commands never changes, so that an answer holds for as long as the same messages are
 * found. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct imap_found;
struct imap_session;

struct imap_answer {
	const uint32_t *uids;	 /* of the messages that had been found, as they were found */
	const uint32_t *numbers; /* one for each, what of is the asker's business */
	size_t n;
	struct str text;
};

/* The latest answer to a question about the selected mailbox; valid until the next wait or
 * imap_answer_keep. False when there is none. */
bool imap_answer_find(struct imap_session *s, struct str question, struct imap_answer *out);

/* Keep an answer instead of the one before, if it is worth it. Everything is copied. */
void imap_answer_keep(struct imap_session *s, struct str question,
		      const struct imap_answer *answer);

/* The UIDs of what was found, in s->arena. */
const uint32_t *imap_found_uids(struct imap_session *s, const struct imap_found *found);
