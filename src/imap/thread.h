/* Messages as threads (RFC 5256 section 3; REFS as in draft-ietf-morg-inthread). */
#pragma once

#include "base/check.h"

struct imap_found;
struct imap_session;

enum imap_thread_by {
	IMAP_THREAD_ORDEREDSUBJECT,
	IMAP_THREAD_REFERENCES,
	IMAP_THREAD_REFS, /* by references alone, threads in the order of their latest message */
};

/* Write the THREAD response for what was found. 0, or the failure of the stream. */
int may_suspend must_check imap_thread_run(struct imap_session *s, enum imap_thread_by how,
					   const struct imap_found *found);
