/* Decoding of SASL responses (RFC 4422), as AUTHENTICATE carries them. */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct arena;
struct imap_credentials;

#define IMAP_SASL_MAX 8192 /* characters of a response in base64 */

/* Base64, or "=" for an empty response. 0 or -EINVAL. */
int must_check imap_sasl_decode(struct str text, struct arena *a, struct str *out);

/* The message of PLAIN (RFC 4616): authzid NUL authcid NUL password. 0 or -EINVAL. */
int must_check imap_sasl_parse_plain(struct str message, struct imap_credentials *out);
