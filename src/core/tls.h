/* TLS for server streams: OpenSSL 3, TLS 1.2 and later, SNI, certificates
 * reloaded without a restart. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"

struct err;
struct stream;
struct tls_context;

enum tls_level {
	TLS_LEVEL_MODERN,
	TLS_LEVEL_INTERMEDIATE
};

struct tls_files {
	const char *cert, *key;		/* PEM; the chain follows the certificate */
	const char *alt_cert, *alt_key; /* NULL, or a second pair */
};

/* Load certificates. Both pairs are offered by key type when they differ in it (ECDSA and RSA), by
 * SNI otherwise. Referenced by the sessions that use it, so a new one can replace it at any time.
 * -ENOENT, -EACCES, -EINVAL with the file's name in err. */
int must_check tls_context_new(const struct tls_files *files, enum tls_level level,
			       struct tls_context **out, struct err *err);
/* Another reference; NULL is fine for both. */
struct tls_context *tls_context_ref(struct tls_context *ctx);
void tls_context_unref(struct tls_context *ctx);

/* Handshake as the server, within the stream's idle time. RFC 3207 4.2: input that the client sent
 * in plain text behind STARTTLS is thrown away, never read as if it had come through TLS. -EPROTO
 * with OpenSSL's reason in err. */
int may_suspend must_check tls_accept(struct stream *s, struct tls_context *ctx, struct err *err);

struct tls_info {
	const char *version; /* "TLSv1.3"; literals */
	const char *cipher;
	int bits;
	char server_name[256]; /* SNI, or empty */
};

/* False for a plain stream. */
bool tls_get_info(const struct stream *s, struct tls_info *out);
