/* What a role may do from now on: paths by Landlock, system calls by seccomp, both without
 * privilege.
 *
 * Entered once, after everything was opened that is outside the policy and before the first byte
 * from outside is read. Descriptors that are open, or arrive over IPC, stay usable. Enter before
 * threads start: Landlock holds for the calling thread and those that it starts. */
#pragma once

#include "base/check.h"

struct err;

/* On top of what every role needs: memory, threads, clocks, descriptors in hand, opening files. */
enum sandbox_profile {
	SANDBOX_FILES = 1 << 0,	 /* create, rename, remove, sync */
	SANDBOX_SERVER = 1 << 1, /* accept connections */
	SANDBOX_CLIENT = 1 << 2, /* open connections, ask the resolver */
	SANDBOX_SPAWN = 1 << 3,	 /* start programs */
};

struct sandbox_policy {
	unsigned profile; /* enum sandbox_profile, or'ed */

	/* Files and whole trees, each list NULL-terminated or NULL. What does not exist is left
	 * out. A symbolic link is followed: its target counts, so that for files which are replaced
	 * by renaming it is their directory that must be named. */
	const char *const *read;
	const char *const *write; /* also read, create and remove */
	const char *const *exec;  /* also read */
};

/* Never undone. Also no core dumps and no new privileges. Where the kernel cannot do a part of it,
 * one log line says so and the rest holds.
 *
 * A system call outside the policy fails with EPERM, since a C library may learn new ones at any
 * time and has to fall back. Those that only an intruder would make (ptrace, mount, bpf...; execve
 * without SANDBOX_SPAWN) end the process with SIGSYS, which the supervisor reports. */
int must_check sandbox_enter(const struct sandbox_policy *policy, struct err *err);

/* The two halves: -ENOSYS when this kernel (or the container around us) does not have it. */
int must_check sandbox_restrict_paths(const struct sandbox_policy *policy, struct err *err);
int must_check sandbox_restrict_calls(const struct sandbox_policy *policy, struct err *err);
