/* From an envelope recipient to where its copies go: aliases, patterns, catch-alls and local names,
 * expanded until nothing changes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/auth.h"
#include "base/check.h"
#include "base/str.h"

struct arena;
struct directory;
struct err;

#define RESOLVE_TARGETS_MAX 1000
#define RESOLVE_DEPTH_MAX   1000
#define RESOLVE_BYTES_MAX   196608 /* of all targets: they are one answer, IPC_MESSAGE_MAX */

struct resolve_target {
	enum auth_target_kind kind;
	struct str address;
	struct str user; /* login, of AUTH_TARGET_MAILBOX only */
};

struct resolution {
	enum auth_verdict verdict;
	struct resolve_target *targets; /* no address twice; of AUTH_OK and AUTH_NOT_OURS only */
	size_t count;
	uint16_t code;	 /* of AUTH_DENIED: the reply */
	struct str text; /* of AUTH_DENIED: empty for the usual words */
	bool expanded;	 /* an alias had a part in it */
};

/* The address without angle brackets; one without domain is the machine's. *out lives in `a` and
 * in the directory. The reason of AUTH_ALIAS_ERROR is in err. */
enum auth_verdict directory_resolve(const struct directory *d, struct str address, struct arena *a,
				    struct resolution *out, struct err *err);
