/* Stored passwords: "{SCHEME}value" as Dovecot's account files hold them. Every function here burns
 * processor time on purpose and suspends nothing; services call it from a worker thread. */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;

#define PASSWORD_MAX	    1024 /* bytes of a password in clear */
#define PASSWORD_STORED_MAX 4096 /* bytes of a stored one */

/* Does the password belong to the stored value? A value without {SCHEME} is taken as crypt(3) reads
 * it. Returns 0 yes, -EACCES no, -ENOTSUP unknown scheme, -EINVAL malformed value, -ERANGE a value
 * whose cost parameters exceed what one login may cost. */
int must_check password_verify(struct str stored, struct str password, struct err *err);

/* Would password_verify understand it? 0, -ENOTSUP, or -EINVAL; costs nothing. */
int must_check password_check_stored(struct str stored, struct err *err);

/* "{SHA512-CRYPT}$6$<16 characters of salt>$..." with a fresh salt. -EINVAL for a password that is
 * empty, too long or holds a NUL. */
int must_check password_create(struct str password, struct arena *a, struct str *stored,
			       struct err *err);
