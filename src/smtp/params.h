/* The parameters behind the paths of MAIL and RCPT: SIZE (RFC 1870), BODY (6152, 3030), SMTPUTF8
 * (6531), AUTH (4954), RET, ENVID, NOTIFY and ORCPT (3461, 6533), REQUIRETLS (8689), MT-PRIORITY
 * (6710). */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "queue/envelope.h"

struct arena;

#define SMTP_ENVID_MAX 100 /* RFC 3461 4.4 */
#define SMTP_ORCPT_MAX 500 /* RFC 3461 4.2 */

/* Which extensions the session offers; others' parameters are refused. */
enum smtp_extension {
	SMTP_EXTENSION_AUTH = 1,
	SMTP_EXTENSION_DSN = 2,
	SMTP_EXTENSION_REQUIRETLS = 4,
	SMTP_EXTENSION_PRIORITY = 8,
};

struct smtp_mail_params {
	uint64_t size;	  /* announced; 0: not */
	uint32_t flags;	  /* enum envelope_flag, or'ed */
	struct str envid; /* decoded */
	struct str auth;  /* who submitted it, decoded; empty: nobody says */
};

struct smtp_rcpt_params {
	unsigned notify;  /* enum envelope_notify, or'ed; 0: not given */
	struct str orcpt; /* decoded: "rfc822;user@example.org" */
};

/* Read `text`, which begins with a space or is empty. Strings live in `a`. NULL when all is well
 * (*out is written), otherwise the reply that refuses the command, a literal. */
const char *smtp_mail_params_parse(struct str text, unsigned extensions, struct arena *a,
				   struct smtp_mail_params *out);
const char *smtp_rcpt_params_parse(struct str text, unsigned extensions, struct arena *a,
				   struct smtp_rcpt_params *out);
