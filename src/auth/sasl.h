/* The server's side of the SASL mechanisms PLAIN (RFC 4616) and LOGIN: from the client's lines to a
 * name and a password. No I/O: SMTP, IMAP, POP3 and ManageSieve carry the lines. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

struct arena;

#define SASL_LINE_MAX 12288 /* RFC 4954 4: a line of AUTH may be this long */
#define SASL_NAME_MAX 512

enum sasl_mech {
	SASL_PLAIN,
	SASL_LOGIN,
};

enum sasl_step {
	SASL_CONTINUE, /* send the challenge, call again with the answer */
	SASL_DONE,     /* the credentials are there */
	SASL_ABORTED,  /* the client sent "*" */
	SASL_INVALID,  /* not base64, or not what the mechanism says */
};

struct sasl_credentials {
	struct str authzid; /* whose mail; empty: the same as user */
	struct str user;    /* whose password */
	struct str password;
};

struct sasl_exchange {
	enum sasl_mech mech;
	unsigned round;
	struct arena *arena;
	struct sasl_credentials credentials; /* live in the arena; complete after SASL_DONE */
};

/* "PLAIN", "LOGIN" in any case. */
bool sasl_mech_parse(struct str name, enum sasl_mech *out);

/* Begin with x->mech. `initial` is the initial response in base64 ("=" for an empty one); p ==
 * NULL: there is none, ask for it. *challenge is base64, static, without line end. */
enum sasl_step must_check sasl_start(struct sasl_exchange *x, struct arena *a, struct str initial,
				     struct str *challenge);

/* The client's answer to a challenge, without line end. */
enum sasl_step must_check sasl_next(struct sasl_exchange *x, struct str line,
				    struct str *challenge);

/* A PLAIN message: authzid NUL authcid NUL passwd. 0 or -EINVAL; the parts are slices of it. */
int must_check sasl_plain_parse(struct str message, struct sasl_credentials *out);
