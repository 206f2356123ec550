/* The file with the keys of SRS, as postsrsd has it: one key to a line. */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;

/* Its text, in `a`; a file that is missing is made with a key of its own, for its owner's eyes
 * only. Blocks. 0 or -errno. */
int must_check srs_keys_load(const char *path, struct arena *a, struct str *out, struct err *err);
