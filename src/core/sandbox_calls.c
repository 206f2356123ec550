/* seccomp: which system calls each profile may make. Names that this architecture or this
 * libseccomp does not know are left out. */
#include "core/sandbox.h"

#include <asm/termbits.h>
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/asan.h"
#include "base/err.h"

static const char *const base_calls[] = {
	/* memory */
	"brk",
	"madvise",
	"mmap",
	"mprotect",
	"mremap",
	"msync",
	"munmap",
	"mlock",
	"munlock",
	"memfd_create",
	"mincore",
	/* threads and the process itself */
	"exit",
	"exit_group",
	"futex",
	"futex_waitv",
	"get_robust_list",
	"set_robust_list",
	"set_tid_address",
	"gettid",
	"getpid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getgroups",
	"getrandom",
	"getrlimit",
	"getrusage",
	"membarrier",
	"rseq",
	"restart_syscall",
	"sched_getaffinity",
	"sched_setaffinity",
	"sched_yield",
	"sched_getparam",
	"sched_getscheduler",
	"sysinfo",
	"uname",
	"umask",
	"capget",
	/* signals */
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigpending",
	"rt_sigtimedwait",
	"sigaltstack",
	/* time */
	"clock_getres",
	"clock_gettime",
	"clock_nanosleep",
	"gettimeofday",
	"nanosleep",
	"time",
	"timerfd_create",
	"timerfd_gettime",
	"timerfd_settime",
	/* waiting */
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd2",
	"poll",
	"ppoll",
	"select",
	"pselect6",
	"signalfd4",
	"inotify_init1",
	"inotify_add_watch",
	"inotify_rm_watch",
	/* descriptors */
	"close",
	"close_range",
	"dup",
	"dup2",
	"dup3",
	"fcntl",
	"fcntl64",
	"fstat",
	"fstat64",
	"lseek",
	"pipe2",
	"pread64",
	"preadv",
	"preadv2",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"read",
	"readv",
	"write",
	"writev",
	"sendfile",
	"splice",
	"tee",
	"copy_file_range",
	"fadvise64",
	"readahead",
	"ftruncate",
	"flock",
	"fstatfs",
	/* looking at files and opening them, within the paths */
	"access",
	"faccessat",
	"faccessat2",
	"getcwd",
	"getdents64",
	"newfstatat",
	"fstatat64",
	"lstat",
	"open",
	"openat",
	"openat2",
	"readlink",
	"readlinkat",
	"stat",
	"statfs",
	"statx",
	/* sockets in hand */
	"getpeername",
	"getsockname",
	"getsockopt",
	"recvfrom",
	"recvmsg",
	"recvmmsg",
	"sendmsg",
	"sendmmsg",
	"sendto",
	"setsockopt",
	"shutdown",
	"socketpair",
	NULL,
};

static const char *const files_calls[] = {
	"chdir",     "chmod",	"chown",     "fallocate",	"fchdir", "fchmod",    "fchmodat",
	"fchmodat2", "fchown",	"fchownat",  "fdatasync",	"fsync",  "futimesat", "lchown",
	"link",	     "linkat",	"mkdir",     "mkdirat",		"rename", "renameat",  "renameat2",
	"rmdir",     "symlink", "symlinkat", "sync_file_range", "syncfs", "truncate",  "unlink",
	"unlinkat",  "utime",	"utimensat", "utimes",		NULL,
};

static const char *const server_calls[] = { "accept", "accept4", NULL };

static const char *const client_calls[] = { "socket", "connect", "bind", NULL };

static const char *const spawn_calls[] = {
	"arch_prctl", /* what every program begins with */
	"clone",      "clone3", "execve",     "execveat",	   "fork",
	"vfork",      "kill",	"pidfd_open", "pidfd_send_signal", "setpgid",
	"setsid",     "wait4",	"waitid",     "getpgrp",	   "chdir",
	NULL,
};

/* Nobody calls these by accident. */
static const char *const hostile_calls[] = {
	"acct",
	"add_key",
	"adjtimex",
	"bpf",
	"chroot",
	"clock_adjtime",
	"clock_settime",
	"delete_module",
	"finit_module",
	"fsconfig",
	"fsmount",
	"fsopen",
	"init_module",
	"io_uring_enter",
	"io_uring_register",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"mount",
	"mount_setattr",
	"move_mount",
	"name_to_handle_at",
	"open_by_handle_at",
	"open_tree",
	"perf_event_open",
	"personality",
	"pidfd_getfd",
	"pivot_root",
	"process_madvise",
	"process_vm_readv",
	"process_vm_writev",
	"quotactl",
	"reboot",
	"request_key",
	"setdomainname",
	"sethostname",
	"setns",
	"settimeofday",
	"swapoff",
	"swapon",
	"syslog",
	"umount2",
	"unshare",
	"userfaultfd",
	"vhangup",
#ifndef WITH_ASAN
	"ptrace", /* the leak detector's way to look at its threads */
#endif
	NULL,
};

static const char *const exec_calls[] = { "execve", "execveat", NULL };

#ifdef WITH_ASAN
static const char *const sanitizer_calls[] = { "ptrace", "clone", "wait4", "prctl", "kill", NULL };
#endif

static int add_calls(scmp_filter_ctx f, uint32_t action, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);
		if (nr == __NR_SCMP_ERROR)
			continue;
		int r = seccomp_rule_add(f, action, nr, 0);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

/* One call, where its argument `arg` has one of the values. */
static int add_values(scmp_filter_ctx f, const char *name, unsigned arg, const uint64_t *values,
		      size_t count)
{
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(name), 1,
				     SCMP_CMP(arg, SCMP_CMP_EQ, values[i]));
	return r;
}

static int add_limited_calls(scmp_filter_ctx f, const struct sandbox_policy *p)
{
	static const uint64_t ioctls[] = { FIONREAD, FIONBIO, TCGETS, TIOCGWINSZ };
	static const uint64_t prctls[] = { PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE,
					   0x53564d41 /* PR_SET_VMA: malloc names its memory */ };

	/* The other roles run as the same user: their threads and limits are not ours. */
	const uint64_t own[] = { 0, (uint64_t)getpid() };

	int r = add_values(f, "ioctl", 1, ioctls, ARRAY_LEN(ioctls));
	if (r == 0)
		r = add_values(f, "prctl", 0, prctls, ARRAY_LEN(prctls));
	if (r == 0)
		r = add_values(f, "prlimit64", 0, own, ARRAY_LEN(own));
	if (r == 0)
		r = add_values(f, "tgkill", 0, own, ARRAY_LEN(own));
	/* No signal: is the process still there that a lock file names? */
	if (r == 0 && p->profile & SANDBOX_FILES)
		r = add_values(f, "kill", 1, &(uint64_t){ 0 }, 1);
	if (r < 0 || (p->profile & SANDBOX_SPAWN))
		return r;

	/* Threads, but no processes. The flags of clone3 are out of a filter's sight; told that
	 * there is no such call, libc uses clone. */
	r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS),
				     seccomp_syscall_resolve_name("clone3"), 0);
	return r;
}

static int add_rules(scmp_filter_ctx f, const struct sandbox_policy *p)
{
	static const struct {
		unsigned profile;
		const char *const *names;
	} groups[] = {
		{ SANDBOX_FILES, files_calls },
		{ SANDBOX_SERVER, server_calls },
		{ SANDBOX_CLIENT, client_calls },
		{ SANDBOX_SPAWN, spawn_calls },
	};

	int r = add_calls(f, SCMP_ACT_ALLOW, base_calls);
	for (size_t i = 0; i < ARRAY_LEN(groups) && r == 0; i++) {
		if (p->profile & groups[i].profile)
			r = add_calls(f, SCMP_ACT_ALLOW, groups[i].names);
	}
	if (r == 0)
		r = add_limited_calls(f, p);
	if (r == 0)
		r = add_calls(f, SCMP_ACT_KILL_PROCESS, hostile_calls);
	if (r == 0 && !(p->profile & SANDBOX_SPAWN))
		r = add_calls(f, SCMP_ACT_KILL_PROCESS, exec_calls);
#ifdef WITH_ASAN
	if (r == 0)
		r = add_calls(f, SCMP_ACT_ALLOW, sanitizer_calls);
#endif
	return r;
}

static void release(scmp_filter_ctx *f)
{
	seccomp_release(*f);
}

/* What the kernel must know, in the library's count: filters for all threads (2) and the end of the
 * whole process (3). Emulators of other processors know less. */
#define API_LEVEL_MIN 3

int sandbox_restrict_calls(const struct sandbox_policy *p, struct err *err)
{
	if (seccomp_api_get() < API_LEVEL_MIN)
		return err_set(err, -ENOSYS, "seccomp: the kernel does not know what we need");

	__attribute__((cleanup(release))) scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!f)
		check_no_memory();

	/* Threads that run already are bound too; a tree of comparisons, not a chain of 250. */
	int r = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0)
		r = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_rules(f, p);
	if (r < 0)
		return err_set(err, r, "seccomp: building the filter: error %d", -r);

	r = seccomp_load(f);
	if (r < 0)
		return err_set(err, -ENOSYS, "seccomp: error %d", -r);
	return 0;
}
