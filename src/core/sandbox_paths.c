/* Landlock. The numbers are the kernel's; its headers may be older than the kernel we run on. */
#include "core/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/asan.h"
#include "base/err.h"
#include "base/fd.h"

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule	     445
#define __NR_landlock_restrict_self  446
#endif

enum {
	CREATE_RULESET_VERSION = 1,
	RULE_PATH_BENEATH = 1,

	/* Before version 2 no file could be moved to another directory, as a Maildir must. */
	ABI_REFER = 2,
	ABI_TRUNCATE = 3,
	ABI_NET = 4,
	ABI_IOCTL_DEV = 5,
	ABI_SCOPE = 6,
};

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_CHAR = 1 << 6,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_FIFO = 1 << 10,
	FS_MAKE_BLOCK = 1 << 11,
	FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,
	FS_IOCTL_DEV = 1 << 15,

	FS_ALL_ABI2 = (1 << 14) - 1,
	NET_BIND_AND_CONNECT_TCP = 3,
	SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3,

	MAY_READ = FS_READ_FILE | FS_READ_DIR,
	MAY_WRITE = MAY_READ | FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_DIR | FS_REMOVE_FILE |
		    FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SYM | FS_REFER,
	MAY_EXECUTE = MAY_READ | FS_EXECUTE,
	/* What a rule for anything but a directory may name. */
	FILE_RIGHTS = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
};

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* Shared libraries that are loaded late, time zones, and what libc opens by itself. */
static const char *const always_read[] = {
	"/lib",	    "/lib64",	    "/usr/lib", "/usr/share/zoneinfo", "/etc/localtime",
	"/etc/ssl", "/dev/urandom",
#ifdef WITH_ASAN
	"/proc", /* the leak detector reads the process's maps */
#endif
	NULL,
};

static const char *const resolver_read[] = {
	"/etc/hosts",	 "/etc/resolv.conf", "/etc/nsswitch.conf",   "/etc/host.conf",
	"/etc/gai.conf", "/etc/services",    "/run/systemd/resolve", NULL,
};

static const char *const always_write[] = { "/dev/null", NULL };

struct ruleset {
	int fd;
	uint64_t handled;
};

static int allow(const struct ruleset *rs, const char *path, uint64_t rights, struct err *err)
{
	auto_close int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : err_sys(err, "%s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "%s", path);
	if (!S_ISDIR(st.st_mode))
		rights &= FILE_RIGHTS;

	struct path_beneath_attr rule = { .allowed = rights & rs->handled, .fd = fd };
	if (syscall(__NR_landlock_add_rule, rs->fd, RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_sys(err, "landlock rule for %s", path);
	return 0;
}

static int allow_all(const struct ruleset *rs, const char *const *paths, uint64_t rights,
		     struct err *err)
{
	int r = 0;
	for (size_t i = 0; paths && paths[i] && r == 0; i++)
		r = allow(rs, paths[i], rights, err);
	return r;
}

static int add_rules(const struct ruleset *rs, const struct sandbox_policy *p, struct err *err)
{
	int r = allow_all(rs, always_read, MAY_READ, err);
	if (r == 0)
		r = allow_all(rs, always_write, MAY_WRITE, err);
	if (r == 0 && (p->profile & SANDBOX_CLIENT))
		r = allow_all(rs, resolver_read, MAY_READ, err);
	if (r == 0)
		r = allow_all(rs, p->read, MAY_READ, err);
	if (r == 0)
		r = allow_all(rs, p->write, MAY_WRITE, err);
	if (r == 0)
		r = allow_all(rs, p->exec, MAY_EXECUTE, err);
	return r;
}

/* The rights that this kernel knows, hence denies unless a rule allows them; *size is that of the
 * struct in its version. */
static struct ruleset_attr attr_for(int abi, const struct sandbox_policy *p, size_t *size)
{
	struct ruleset_attr a = { .fs = FS_ALL_ABI2 };

	*size = offsetof(struct ruleset_attr, net);
	if (abi >= ABI_TRUNCATE)
		a.fs |= FS_TRUNCATE;
	if (abi >= ABI_IOCTL_DEV)
		a.fs |= FS_IOCTL_DEV;
	if (abi >= ABI_NET) {
		a.net = p->profile & SANDBOX_CLIENT ? 0 : NET_BIND_AND_CONNECT_TCP;
		*size = offsetof(struct ruleset_attr, scoped);
	}
	if (abi >= ABI_SCOPE) {
		a.scoped = SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS;
		*size = sizeof(a);
	}
	return a;
}

int sandbox_restrict_paths(const struct sandbox_policy *p, struct err *err)
{
	long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	if (abi < 0) {
		err_sys(err, "landlock");
		return -ENOSYS;
	}
	if (abi < ABI_REFER)
		return err_set(err, -ENOSYS, "landlock: version %ld is too old", abi);

	size_t size;
	struct ruleset_attr attr = attr_for((int)abi, p, &size);
	auto_close int fd = (int)syscall(__NR_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0)
		return err_sys(err, "landlock");

	int r = add_rules(&(struct ruleset){ fd, attr.fs }, p, err);
	if (r < 0)
		return r;
	if (syscall(__NR_landlock_restrict_self, fd, 0) < 0)
		return err_sys(err, "landlock");
	return 0;
}
