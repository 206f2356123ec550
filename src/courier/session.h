/* What comes before the first MAIL: greeting, EHLO, TLS as the policy wants it, AUTH. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"
#include "courier/dane.h"
#include "courier/tls_policy.h"

struct client;
struct tls_roots;
struct verdict;

struct session_wish {
	struct tls_decision tls;
	bool implicit; /* TLS before the greeting: port 465 */
	bool plain;    /* TLS has failed, and nobody insists on it */
	struct dane dane;
	const char *names[3]; /* that a certificate may have; names[0] is the host's */
	size_t name_count;
	struct tls_roots *roots;
	struct str user, password; /* or empty */
};

/* 0; -EXXX with what it means in *v; -EAGAIN: without TLS it may go better, and may be tried. */
int may_suspend must_check session_open(struct client *c, const struct session_wish *w,
					struct verdict *v);
