/* A directory for one input, in memory where that is to be had. */
#pragma once

#include <stdbool.h>

struct scratch_dir {
	char path[64];
};

bool scratch_dir_make(struct scratch_dir *d);
/* With all that is in it; harmless when it was not made. */
void scratch_dir_remove(struct scratch_dir *d);
