/* Reverse and forward paths: the <user@example.org> of MAIL and RCPT (RFC 5321 4.1.2 with the
 * UTF-8 of RFC 6531 3.3).
 *
 * Read with some tolerance that the world of mail needs: space after the colon, missing angle
 * brackets. Source routes are read and ignored (RFC 5321 appendix C). What comes out is exact: one
 * spelling per mailbox, quotes only where they are needed. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"

struct arena;

/* RFC 5321 4.5.3.1 asks for at least 64 and 256; VERP, BATV and SRS make longer local parts. */
#define SMTP_LOCAL_MAX 192
#define SMTP_PATH_MAX  512

struct smtp_path {
	struct str address; /* canonical, as it goes into <> and headers; empty for <> */
	struct str local;   /* the meaning: without quotes and backslashes */
	struct str domain;  /* as written; empty when there is none ("postmaster") */
	bool utf8;	    /* holds bytes beyond ASCII: allowed only with SMTPUTF8 */
};

/* Take a path off the front of *rest, which then begins with a space or is empty. The strings of
 * *out live in `a`. 0, -EINVAL for bad syntax or -EMSGSIZE for a part that is too long. */
int must_check smtp_path_parse(struct str *rest, struct arena *a, struct smtp_path *out);

/* Give a path without a domain one: `postmaster` becomes `postmaster@domain`. */
void smtp_path_qualify(struct smtp_path *p, struct str domain, struct arena *a);
