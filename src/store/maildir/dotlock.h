/* Lock files as Dovecot makes them: <file>.lock, created exclusively, holding "<pid>:<host>".
 * They guard against other programs on the same Maildir; inside Posthorn an account belongs to
 * one worker. */
#pragma once

#include "base/buf.h"
#include "base/check.h"

struct err;

struct dotlock {
	int dirfd;	  /* borrowed; -1: not held */
	const char *name; /* of the lock file, borrowed */
	int fd;		  /* the lock file, for its new contents */
};

#define DOTLOCK_NONE ((struct dotlock){ .dirfd = -1, .fd = -1 })

/* Take `name` ("dovecot-uidlist.lock") in a directory. Waits at most 50 ms for its holder; a lock
 * whose process is gone, or that nobody touched for two minutes, is taken over. -EAGAIN: held. */
int must_check dotlock_take(struct dotlock *l, int dirfd, const char *name, struct err *err);

/* Give it back; harmless when it is not held. */
void dotlock_release(struct dotlock *l);
#define auto_dotlock __attribute__((cleanup(dotlock_release)))

/* Is it still ours? A program that thought it stale may have taken it. */
bool dotlock_is_held(const struct dotlock *l);

/* Let the lock file with these contents become `target`, and end the lock. Atomic, also when the
 * power fails. */
int must_check dotlock_replace(struct dotlock *l, const char *target, struct str contents,
			       struct err *err);
