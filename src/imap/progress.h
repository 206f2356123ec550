/* Telling a client that a long command is still at work (RFC 9585). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct imap_session;

struct imap_progress {
	struct imap_session *s;
	uint64_t goal;	 /* 0: not known */
	int64_t next_ms; /* when to tell next */
};

void imap_progress_begin(struct imap_progress *p, struct imap_session *s, uint64_t goal);

/* As imap_work; `done` of `goal` are done. No response may be half written. */
int may_suspend must_check imap_progress_work(struct imap_progress *p, size_t units, uint64_t done);
