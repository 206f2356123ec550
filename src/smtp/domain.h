/* Host names and address literals as they stand in EHLO and behind the @ of a mailbox (RFC 5321
 * 4.1.2, 4.1.3, RFC 6531 3.3). */
#pragma once

#include <stdbool.h>

#include "base/str.h"

#define SMTP_DOMAIN_MAX 255 /* RFC 5321 4.5.3.1.2 */

/* Dot-separated labels of letters, digits, hyphens, underscores (outside the RFC, but in use)
 * or, as valid UTF-8, anything beyond ASCII. */
bool smtp_domain_is_valid(struct str s);

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]". */
bool smtp_domain_is_literal(struct str s);

/* A valid name of at least two labels, or an address literal. */
bool smtp_domain_is_full(struct str s);
