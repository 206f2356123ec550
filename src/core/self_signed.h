/* A certificate for a server that was given none. */
#pragma once

#include "base/check.h"

struct err;

/* Make an ECDSA P-256 key and a certificate for `name`, signed by itself and valid for ten
 * years, and write both as PEM (the key with mode 0600). Existing files are replaced. Blocks for
 * a few milliseconds. */
int must_check self_signed_make(const char *name, const char *cert_path, const char *key_path,
				struct err *err);
