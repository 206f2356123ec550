/* Logins that were right a moment ago: mail programs log in again and again, and a password
 * hash costs milliseconds on purpose. Holds no passwords, only keyed digests under a key that
 * never leaves the process. A digest covers the stored value too: a changed password is
 * unknown to the cache. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define LOGIN_CACHE_SLOTS  1024
#define LOGIN_CACHE_KEEP   (120 * 1000) /* ms */
#define LOGIN_CACHE_DIGEST 32

struct login_cache {
	unsigned char key[LOGIN_CACHE_DIGEST];
	struct {
		unsigned char digest[LOGIN_CACHE_DIGEST];
		int64_t until;
	} slots[LOGIN_CACHE_SLOTS];
};

/* What a login consists of. */
struct login_proof {
	struct str login;
	struct str password;
	struct str stored;
};

void login_cache_init(struct login_cache *c);
void login_cache_clear(struct login_cache *c);
bool login_cache_has(const struct login_cache *c, const struct login_proof *p, int64_t now);
void login_cache_add(struct login_cache *c, const struct login_proof *p, int64_t now);
