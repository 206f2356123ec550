/* Programs of others that run beside the server: started where settings ask for them, started again
 * when they end, stopped with it. The server works without any of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

struct companion_list;
struct group;

/* One fiber per program in `g`; the list outlives them. */
void companions_start(const struct companion_list *list, struct group *g);

bool companions_have_process(pid_t pid);

/* Ask all of them to end, and kill what has not by the deadline. */
void may_suspend companions_stop(int64_t deadline);
