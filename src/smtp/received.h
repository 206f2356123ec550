/* The trace line that this server puts on top of a message (RFC 5321 4.4). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct smtp_trace {
	struct str helo;
	const char *client_name, *client_address;
	const char *fqdn;
	bool submitted; /* from a user: where he is stays out of it */
	bool esmtp, utf8, tls, authenticated;
	const char *tls_version, *tls_cipher; /* with tls */
	int tls_bits;
	const char *id;
	struct str recipient; /* empty: there are several, and none shall learn of the others */
	bool has_priority;    /* RFC 6710 */
	int priority;
	int64_t unix_s;
};

/* "SMTP", "ESMTPSA", "UTF8SMTPS"...: RFC 3848, RFC 6531 4.3. */
const char *smtp_protocol_name(const struct smtp_trace *t);

/* Append the Received field with its line ends. */
void smtp_received_write(struct buf *out, const struct smtp_trace *t);
