/* The role processes: started, connected with each other, restarted when they die,
 * drained at the end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

struct arena;
struct err;
struct group;
struct listeners;
struct settings;

struct children_config {
	const struct settings *settings;
	const char *const *env; /* what every role gets */
	const char *directory;	/* of the executables */
	const struct listeners *listeners;
	int log_fd;	  /* becomes descriptor 4 of every role */
	unsigned workers; /* copies of front and mailbox */
	bool web;	  /* health and metrics are asked for */
};

/* Start one fiber per process in `g`; *cfg outlives them. */
int must_check children_start(const struct children_config *cfg, struct group *g, struct err *err);

/* Wait until every role has said that it is ready. An error names one that is not:
 * -ETIMEDOUT, or -EIO when it failed several times. */
int may_suspend must_check children_wait_ready(int64_t deadline, struct err *err);

void may_suspend children_reload(bool accounts, bool certificates);

/* Is it the process of a role, whose end is noticed here? */
bool children_has_process(pid_t pid);

/* End everything in the order in which nothing is lost: sessions first, the queue's deliveries,
 * then the processes. What has not ended by the deadline is killed. */
void may_suspend children_stop(int64_t deadline);
