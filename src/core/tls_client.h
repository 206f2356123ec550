/* TLS for client streams: whom we speak to, and how we know it: by certificate authorities
 * (RFC 6125) or by DANE (RFC 6698). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct err;
struct stream;
struct tls_roots;

/* The authorities that certificates are checked against (PEM); all but the first are read with the
 * first connection, from the file as it is opened here. Without a file, or with one that
 * cannot be read, nothing can be verified by them: then err says why, and there are roots all the
 * same. 0, or -ENOENT or -EINVAL. */
int must_check tls_roots_new(const char *file, struct tls_roots **out, struct err *err);
void tls_roots_free(struct tls_roots *roots);

/* A TLSA record. */
struct tls_dane {
	uint8_t usage, selector, matching;
	struct str data;
};

/* Can it be used (RFC 7672 3.1: DANE-TA and DANE-EE only)? What is malformed, or of kinds that
 * nobody knows, cannot. */
bool tls_dane_is_usable(const struct tls_dane *d);

struct tls_expectation {
	const char *server_name;  /* for SNI; NULL: none */
	const char *const *names; /* the certificate has one of them; at least one is given */
	size_t name_count;
	const struct tls_dane *dane; /* usable ones; none: by authorities */
	size_t dane_count;
	bool required; /* end the handshake when the server is not whom we want */
};

enum tls_fault {
	TLS_FAULT_NONE,
	TLS_FAULT_OTHER,
	TLS_FAULT_NAME,
	TLS_FAULT_EXPIRED,
	TLS_FAULT_UNTRUSTED, /* no authority that we know, or no TLSA record, vouches for it */
};

struct tls_verified {
	bool ok;
	enum tls_fault fault;
	char reason[128]; /* why not */
};

/* Handshake as the client, within the stream's idle time. What the server sent in plain text behind
 * its answer to STARTTLS is thrown away. *out is written whenever the server has shown a
 * certificate, and otherwise says that it has not. -EPROTO with OpenSSL's reason, or -EACCES when
 * the server is not whom we want and that was required; errors of the stream. The stream is of no
 * use afterwards. */
int may_suspend must_check tls_connect(struct stream *s, struct tls_roots *roots,
				       const struct tls_expectation *want, struct tls_verified *out,
				       struct err *err);

/* Channel binding for SASL: "tls-exporter" (RFC 9266) with TLS 1.3, else "tls-unique" (RFC 5929).
 * The bytes written to out, or 0 without TLS. */
#define TLS_BINDING_MAX 64
size_t tls_channel_binding(const struct stream *s, const char **type,
			   unsigned char out[TLS_BINDING_MAX]);
