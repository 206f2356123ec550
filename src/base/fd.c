#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define READ_STEP ((size_t)16384)

void fd_close_scope(int *fd)
{
	if (*fd < 0)
		return;
	int saved = errno;
	close(*fd);
	errno = saved;
}

void fd_free_scope(void *pp)
{
	free(*(void **)pp);
}

int fd_write_all(int fd, struct str s, struct err *err)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "write");
		s = str_skip(s, (size_t)n);
	}
	return 0;
}

ssize_t fd_pread_all(int fd, void *to, size_t n, uint64_t at)
{
	char *p = to;
	size_t done = 0;
	while (done < n) {
		ssize_t r = pread(fd, p + done, n - done, (off_t)(at + done));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

int fd_read_all(int fd, struct arena *a, size_t max, struct str *out, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat");
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "not a regular file");
	if ((uint64_t)st.st_size > max)
		return err_set(err, -EFBIG, "larger than %zu bytes", max);

	/* The size is a hint: files of /proc say 0, others grow meanwhile. */
	struct buf b;
	buf_init(&b, a, max);
	size_t room = (uint64_t)st.st_size < max ? (size_t)st.st_size + 1 : max;
	while (room) {
		char *p = buf_space(&b, room);
		check(p);
		ssize_t n = fd_pread_all(fd, p, room, b.n);
		if (n < 0)
			return err_sys(err, "read");
		buf_added(&b, (size_t)n);
		if ((size_t)n < room)
			break;
		room = max - b.n < READ_STEP ? max - b.n : READ_STEP;
	}

	char beyond;
	if (b.n == max && fd_pread_all(fd, &beyond, 1, max) > 0)
		return err_set(err, -EFBIG, "larger than %zu bytes", max);
	*out = str_of(buf_cstr(&b), b.n);
	return 0;
}

int fd_read_file(const char *path, struct arena *a, size_t max, struct str *out, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_sys(err, "%s", path);
	int r = fd_read_all(fd, a, max, out, err);
	if (r < 0)
		(void)err_prefix(err, "%s", path);
	return r;
}

int fd_make_dirs(const char *path, unsigned mode, struct err *err)
{
	auto_free char *part = strdup(path);
	if (!part)
		check_no_memory();

	/* A parent that may not be written or created can be there all the
	 * same: the end decides. */
	int failed = 0;
	size_t n = strlen(path);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST && !failed)
			failed = errno;
		part[i] = path[i];
	}

	struct stat st;
	if (stat(path, &st) < 0) {
		errno = failed ? failed : ENOENT;
		return err_sys(err, "%s: create directory", path);
	}
	return S_ISDIR(st.st_mode) ? 0 : err_set(err, -ENOTDIR, "%s: not a directory", path);
}

/* Not before there is room for it: the old contents are lost with the first byte. */
static int rewrite_in_place(const char *path, struct str contents, struct err *err)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "%s: open for writing", path);
	if (contents.n && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)contents.n) < 0 &&
	    errno != EOPNOTSUPP)
		return err_sys(err, "%s", path);
	int r = fd_write_all(fd, contents, err);
	if (r < 0) {
		(void)err_prefix(err, "%s", path);
		return r;
	}
	if (ftruncate(fd, (off_t)contents.n) < 0)
		return err_sys(err, "%s: truncate", path);
	return fsync(fd) < 0 ? err_sys(err, "%s: fsync", path) : 0;
}

/* The new file takes mode and owner of the one it replaces. Only root may give files away:
 * failing to is no error. */
static void copy_attributes(int fd, const char *path, unsigned mode)
{
	struct stat st;
	if (stat(path, &st) < 0) {
		(void)fchmod(fd, mode);
		return;
	}
	(void)!fchown(fd, st.st_uid, st.st_gid);
	(void)fchmod(fd, st.st_mode & 07777);
}

int fd_sync_parent(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t n = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
	auto_free char *dir = n ? strndup(path, n) : strdup(".");
	if (!dir)
		check_no_memory();

	auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "%s: open directory", dir);
	return fsync(fd) < 0 ? err_sys(err, "%s: fsync", dir) : 0;
}

/* Write and sync the temp file, then put it in the old one's place. */
static int fill_and_rename(int fd, const char *tmp, const char *path, struct str contents,
			   struct err *err)
{
	int r = fd_write_all(fd, contents, err);
	if (r < 0)
		return r;
	if (fsync(fd) < 0)
		return err_sys(err, "fsync");
	if (rename(tmp, path) < 0)
		return err_sys(err, "rename");
	return 0;
}

static int replace(const char *path, struct str contents, unsigned mode, struct err *err)
{
	auto_free char *tmp = NULL;
	if (asprintf(&tmp, "%s.tmp%d", path, (int)getpid()) < 0)
		check_no_memory();

	(void)unlink(tmp);
	auto_close int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int r = err_sys(err, "%s: create", tmp);
		bool closed = r == -EACCES || r == -EROFS || r == -EPERM;
		return closed && access(path, F_OK) == 0 ? rewrite_in_place(path, contents, err)
							 : r;
	}

	copy_attributes(fd, path, mode);
	int r = fill_and_rename(fd, tmp, path, contents, err);
	if (r == 0)
		return fd_sync_parent(path, err);
	(void)unlink(tmp);
	if (r == -EBUSY) /* a single-file mount cannot be renamed over */
		return rewrite_in_place(path, contents, err);
	(void)err_prefix(err, "%s", path);
	return r;
}

int fd_replace_file(const char *path, struct str contents, unsigned mode, struct err *err)
{
	struct stat st;
	auto_free char *target = NULL;
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		target = realpath(path, NULL);
	return replace(target ? target : path, contents, mode, err);
}
