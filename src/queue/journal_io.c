#include "queue/journal_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int system_openat(int dir, const char *name, int flags, unsigned mode)
{
	return openat(dir, name, flags, mode);
}

static int system_fallocate(int fd, int mode, off_t offset, off_t n)
{
	/* Some file systems cannot allocate ahead; writing tells about space there. */
	if (fallocate(fd, mode, offset, n) == 0)
		return 0;
	return errno == EOPNOTSUPP ? ftruncate(fd, offset + n) : -1;
}

static int system_renameat(int dir, const char *from, const char *to)
{
	return renameat(dir, from, dir, to);
}

static int system_unlinkat(int dir, const char *name)
{
	return unlinkat(dir, name, 0);
}

const struct journal_io journal_io_system = {
	.openat = system_openat,
	.close = close,
	.pread = pread,
	.pwrite = pwrite,
	.fdatasync = fdatasync,
	.fsync = fsync,
	.fallocate = system_fallocate,
	.ftruncate = ftruncate,
	.renameat = system_renameat,
	.unlinkat = system_unlinkat,
};

int journal_io_write_all(const struct journal_io *io, int fd, const void *p, size_t n, off_t offset)
{
	while (n) {
		ssize_t done = io->pwrite(fd, p, n, offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			return -EIO;
		p = (const char *)p + done;
		n -= (size_t)done;
		offset += done;
	}
	return 0;
}

int journal_io_read_all(const struct journal_io *io, int fd, void *p, size_t n, off_t offset)
{
	while (n) {
		ssize_t done = io->pread(fd, p, n, offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			return -ENODATA;
		p = (char *)p + done;
		n -= (size_t)done;
		offset += done;
	}
	return 0;
}
