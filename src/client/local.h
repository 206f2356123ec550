/* A connection to a port of the server that runs beside us, for small programs that do one thing:
 * blocking, with a time limit for every wait. */
#pragma once

#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

struct err;
struct settings;

#define LOCAL_INPUT_MAX 2048

struct local {
	int fd;
	size_t begin, end; /* of what has come and was not taken yet */
	char input[LOCAL_INPUT_MAX];
};

/* Connect to the port that the server binds for `port`: where the settings say that it listens. No
 * wait takes longer than `seconds`. 0 or -errno, then with nothing to close. */
int must_check local_open(struct local *l, const struct settings *set, unsigned port,
			  unsigned seconds, struct err *err);
/* Connect to a socket in the file system. */
int must_check local_open_path(struct local *l, struct str path, unsigned seconds, struct err *err);
void local_close(struct local *l);

int must_check local_write(struct local *l, struct str s, struct err *err);

/* The next line without its end; valid until the next call. -EPIPE when the server has hung up,
 * -E2BIG when a line does not fit. */
int must_check local_read_line(struct local *l, struct str *out, struct err *err);
