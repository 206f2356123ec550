/* The system calls of the journal, as a table: the tests put theirs in its place to make the
 * n-th call fail and to cut the power between any two of them. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Each behaves like the system call of its name: -1 and errno. */
struct journal_io {
	int (*openat)(int dir, const char *name, int flags, unsigned mode);
	int (*close)(int fd);
	ssize_t (*pread)(int fd, void *p, size_t n, off_t offset);
	ssize_t (*pwrite)(int fd, const void *p, size_t n, off_t offset);
	int (*fdatasync)(int fd);
	int (*fsync)(int fd);
	int (*fallocate)(int fd, int mode, off_t offset, off_t n);
	int (*ftruncate)(int fd, off_t n);
	int (*renameat)(int dir, const char *from, const char *to);
	int (*unlinkat)(int dir, const char *name);
};

extern const struct journal_io journal_io_system;

/* All n bytes at an offset: 0 or -errno. The read is short only at the end of the file:
 * -ENODATA. */
int journal_io_write_all(const struct journal_io *io, int fd, const void *p, size_t n,
			 off_t offset);
int journal_io_read_all(const struct journal_io *io, int fd, void *p, size_t n, off_t offset);
