/* Child processes: started without fork's copy of our state, watched without SIGCHLD. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"
#include "core/io.h"

struct err;

#define PROCESS_FDS_MAX 8

struct process_spec {
	const char *path;	 /* of the executable */
	const char *const *argv; /* NULL-terminated */
	const char *const *env;	 /* NULL-terminated */
	const int *fds; /* become 3, 4, ... in the child; every other one is closed there */
	unsigned fd_count;
};

struct process {
	pid_t pid;
	struct io exited; /* a pidfd: readable when the process has ended */
};

/* The child is in a process group of its own (a Ctrl-C at the terminal reaches only us) and starts
 * with default signal actions, none blocked. */
int must_check process_spawn(const struct process_spec *spec, struct process *out, struct err *err);

/* Wait until it has ended; *status as of waitid. 0, -ETIMEDOUT or -ECANCELED (it goes on). */
struct process_end {
	bool signalled;
	int code; /* exit status, or the signal */
};
int may_suspend must_check process_wait(struct process *p, int64_t deadline,
					struct process_end *out);

/* No effect on a process that has been waited for. */
void process_kill(const struct process *p, int signal);

/* Closes the pidfd. */
void process_done(struct process *p);

/* Collect children that have ended and that nobody here started or waits for: the first process of
 * a container inherits those of every other. `is_known` says which are somebody's; one that has
 * ended and is not waited for yet may hide strangers until the next call. */
void process_reap_strangers(bool (*is_known)(pid_t pid));

/* When to start a child again that has ended: at once after a long life, else after a pause that
 * doubles from 100 ms to 30 s with every short one. */
struct restart_policy {
	int64_t pause; /* the last one, ms */
};

/* The pause before the next start, for a child that lived `life` ms. */
int64_t restart_pause(struct restart_policy *p, int64_t life);
