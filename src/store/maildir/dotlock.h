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
	int fd;		  /* the lock file, for its new contents; -1: it is a link */
};

/* A file with this process's "<pid>:<host>", of which locks can be links. Making and removing a
 * link costs a fraction of making and removing a file: ext4 keeps clear of inodes freed a moment
 * ago, and searches the longer the more there are. */
struct dotlock_source {
	int dirfd; /* borrowed */
	char name[40];
	bool made;
};

#define DOTLOCK_NONE ((struct dotlock){ .dirfd = -1, .fd = -1 })

/* Take `name` ("dovecot-uidlist.lock") in a directory. Waits at most 50 ms for its holder; a lock
 * whose process is gone, or that nobody touched for two minutes, is taken over. -EAGAIN: held. */
int must_check dotlock_take(struct dotlock *l, int dirfd, const char *name, struct err *err);

/* The same by a link, which cannot become the new contents of anything. */
int must_check dotlock_take_link(struct dotlock *l, struct dotlock_source *source, int dirfd,
				 const char *name, struct err *err);

void dotlock_source_init(struct dotlock_source *source, int dirfd);
void dotlock_source_done(struct dotlock_source *source);

/* Give it back; harmless when it is not held. */
void dotlock_release(struct dotlock *l);
#define auto_dotlock __attribute__((cleanup(dotlock_release)))

/* Replace `target` by these contents (through `target`.new), and end the lock. Atomic, also when
 * the power fails. */
int must_check dotlock_replace(struct dotlock *l, const char *target, struct str contents,
			       struct err *err);
