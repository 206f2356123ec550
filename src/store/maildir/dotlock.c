#include "store/maildir/dotlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "base/fd.h"

#define WAIT_TOTAL_MS 50
#define WAIT_STEP_MS  2
#define STALE_SECONDS 120
#define SOURCE_PREFIX "posthorn.lock."

static const char *host_name(void)
{
	static char host[65];
	if (!host[0] && gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '?';
	return host;
}

/* Does the lock name a process of this host that no longer exists? */
static bool holder_is_gone(int dirfd, const char *name)
{
	char text[128];
	auto_close int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text));
	struct str pid, host;
	uint64_t v;
	if (n <= 0 || !str_cut(str_of(text, (size_t)n), ':', &pid, &host) ||
	    str_to_u64(pid, INT32_MAX, &v) < 0 || !str_eq(host, str_from(host_name())))
		return false;

	/* Our own process holds no second lock of that name: such a file is from before a
	 * restart. */
	return (pid_t)v == getpid() || (kill((pid_t)v, 0) < 0 && errno == ESRCH);
}

static bool is_stale(int dirfd, const char *name)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	time_t touched = st.st_mtime > st.st_ctime ? st.st_mtime : st.st_ctime;
	return time(NULL) - touched > STALE_SECONDS || holder_is_gone(dirfd, name);
}

/* The contents are advice for others: a disk too full for them may still take our line. */
static void write_holder(int fd)
{
	char text[96];
	int n = snprintf(text, sizeof(text), "%d:%s", (int)getpid(), host_name());
	(void)!write(fd, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static int create_lock(struct dotlock *l, int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	*l = (struct dotlock){ .dirfd = dirfd, .name = name, .fd = fd };
	write_holder(fd);
	return 0;
}

/* What processes that were killed have left behind. */
static void remove_old_sources(int dirfd)
{
	int own = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own >= 0 ? fdopendir(own) : NULL;
	if (!d)
		return;
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		if (str_starts(str_from(e->d_name), STR(SOURCE_PREFIX)) &&
		    holder_is_gone(dirfd, e->d_name))
			(void)unlinkat(dirfd, e->d_name, 0);
	closedir(d);
}

static int make_source(struct dotlock_source *source)
{
	remove_old_sources(source->dirfd);
	auto_close int fd = openat(source->dirfd, source->name,
				   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	write_holder(fd);
	source->made = true;
	return 0;
}

static int link_lock(struct dotlock *l, struct dotlock_source *source, int dirfd, const char *name)
{
	int r = source->made ? 0 : make_source(source);
	if (r < 0)
		return r;
	if (linkat(source->dirfd, source->name, dirfd, name, 0) < 0) {
		source->made = errno != ENOENT; /* somebody tidied up */
		return -errno;
	}
	*l = (struct dotlock){ .dirfd = dirfd, .name = name, .fd = -1 };
	return 0;
}

/* 1: try again. */
static int wait_for_holder(int dirfd, const char *name, int *waited, struct err *err)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_MS * 1000000L };
	if (is_stale(dirfd, name) && unlinkat(dirfd, name, 0) == 0)
		return 1;
	if (*waited >= WAIT_TOTAL_MS)
		return err_set(err, -EAGAIN, "%s: held by another program", name);
	nanosleep(&step, NULL);
	*waited += WAIT_STEP_MS;
	return 1;
}

int dotlock_take(struct dotlock *l, int dirfd, const char *name, struct err *err)
{
	for (int waited = 0;;) {
		int r = create_lock(l, dirfd, name);
		if (r == -EEXIST)
			r = wait_for_holder(dirfd, name, &waited, err);
		else if (r < 0)
			return err_set(err, r, "%s: create lock", name);
		if (r <= 0)
			return r;
	}
}

int dotlock_take_link(struct dotlock *l, struct dotlock_source *source, int dirfd, const char *name,
		      struct err *err)
{
	for (int waited = 0;;) {
		int r = link_lock(l, source, dirfd, name);
		if (r == -EEXIST)
			r = wait_for_holder(dirfd, name, &waited, err);
		else if (r < 0) /* no links here, or too many: a file will do */
			return dotlock_take(l, dirfd, name, err);
		if (r <= 0)
			return r;
	}
}

void dotlock_source_init(struct dotlock_source *source, int dirfd)
{
	*source = (struct dotlock_source){ .dirfd = dirfd };
	snprintf(source->name, sizeof(source->name), SOURCE_PREFIX "%d", (int)getpid());
}

void dotlock_source_done(struct dotlock_source *source)
{
	if (source->made)
		(void)unlinkat(source->dirfd, source->name, 0);
	source->made = false;
}

/* Is it still ours? A program that thought it stale may have taken it. */
static bool is_held(const struct dotlock *l)
{
	struct stat ours, there;
	return l->dirfd >= 0 && l->fd >= 0 && fstat(l->fd, &ours) == 0 &&
	       fstatat(l->dirfd, l->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

void dotlock_release(struct dotlock *l)
{
	if (l->dirfd < 0)
		return;
	(void)unlinkat(l->dirfd, l->name, 0);
	if (l->fd >= 0)
		close(l->fd);
	*l = DOTLOCK_NONE;
}

static int replace_steps(struct dotlock *l, const char *draft, const char *target,
			 struct str contents, struct err *err)
{
	auto_close int fd = openat(l->dirfd, draft,
				   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, "%s: create", draft);
	int r = fd_write_all(fd, contents, err);
	if (r < 0)
		return err_prefix(err, "%s", draft);
	if (fdatasync(fd) < 0)
		return err_sys(err, "%s: sync", draft);
	if (!is_held(l))
		return err_set(err, -EAGAIN, "%s: taken by another program", l->name);
	if (renameat(l->dirfd, draft, l->dirfd, target) < 0)
		return err_sys(err, "%s: rename", draft);
	return 0;
}

int dotlock_replace(struct dotlock *l, const char *target, struct str contents, struct err *err)
{
	/* A file beside the lock: so the lock says until the end whose it is, and is known to be
	 * nobody's when its holder dies meanwhile. */
	char draft[64];
	snprintf(draft, sizeof(draft), "%s.new", target);
	int r = replace_steps(l, draft, target, contents, err);
	if (is_held(l)) {
		if (r < 0)
			(void)unlinkat(l->dirfd, draft, 0);
		dotlock_release(l);
	} else if (l->fd >= 0) {
		close(l->fd);
	}
	*l = DOTLOCK_NONE;
	return r;
}
