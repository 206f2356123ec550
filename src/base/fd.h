/* Descriptors with visible ownership, and whole-file helpers. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;

void fd_close_scope(int *fd);

/* Closed when the scope is left, unless take_fd moved it out. */
#define auto_close __attribute__((cleanup(fd_close_scope)))

/* Move a descriptor out of its guarded variable: from here on the receiver closes it. */
static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

/* The same for heap pointers: freed when the scope is left, unless take_ptr moved it out. */
void fd_free_scope(void *pp);
#define auto_free __attribute__((cleanup(fd_free_scope)))
#define take_ptr(pp)                                                                               \
	({                                                                                         \
		__auto_type taken_ = *(pp);                                                        \
		*(pp) = NULL;                                                                      \
		taken_;                                                                            \
	})

/* Blocking, for regular files only; they carry on after EINTR and short counts. */

/* Write everything at the file position. 0 or -errno. */
int must_check fd_write_all(int fd, struct str s, struct err *err);

/* Read n bytes at an offset. How many there were, fewer than n only at the end of the file; or
 * -errno. */
ssize_t must_check fd_pread_all(int fd, void *to, size_t n, uint64_t at);

/* Read from the start of the file to its end, at most max bytes (-EFBIG beyond that). *out lives in
 * `a`, with a NUL after it. */
int must_check fd_read_all(int fd, struct arena *a, size_t max, struct str *out, struct err *err);

/* Open and read a file; the errors of open(2) (-ENOENT, -EACCES) come back as they are. */
int must_check fd_read_file(const char *path, struct arena *a, size_t max, struct str *out,
			    struct err *err);

/* Create every missing directory of a path (like mkdir -p), mode 0700 or as given. */
int must_check fd_make_dirs(const char *path, unsigned mode, struct err *err);

/* fsync the directory that holds a path: makes a rename or create there durable. */
int must_check fd_sync_parent(const char *path, struct err *err);

/* Replace a file so that a reader or a crash sees the old or the new contents, never a mixture:
 * temp file beside it, fsync, rename, fsync of the directory. Keeps mode and, where permitted,
 * the owner of an existing file. Where the directory cannot be written or the file is itself a
 * mount point, the file is rewritten in place, if there is room for it. A symbolic link stays one:
 * what it leads to is replaced. */
int must_check fd_replace_file(const char *path, struct str contents, unsigned mode,
			       struct err *err);
