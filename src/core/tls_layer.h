/* What the two sides of TLS share. */
#pragma once

#include <openssl/ssl.h>

#include "base/check.h"
#include "core/stream.h"

struct err;
struct tls_context;

struct tls_layer {
	struct stream_layer base;
	SSL *ssl;
	struct tls_context *ctx; /* of a server, or NULL */
};

/* Takes the session, which may be NULL when there was no memory. */
struct tls_layer *tls_layer_new(struct stream *s, SSL *ssl);
void tls_layer_free(struct tls_layer *l);

/* Throw away what came in plain text, then shake hands, within the stream's idle time. -EPROTO with
 * OpenSSL's reason in err, or an error of the stream. */
int may_suspend must_check tls_handshake(struct stream *s, struct tls_layer *l, struct err *err);

/* OpenSSL's oldest reason as text; empties its queue. */
const char *tls_reason(void);
