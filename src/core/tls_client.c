#include "core/tls_client.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "core/stream.h"
#include "core/tls_layer.h"

struct tls_roots {
	SSL_CTX *ssl;
	BIO *pem; /* authorities that nobody has needed yet: they take a megabyte */
};

static SSL_CTX *new_ssl_ctx(void)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());

	if (!ssl)
		check_no_memory();
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	/* Between mail servers weak keys are better than none. */
	SSL_CTX_set_security_level(ssl, 1);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	check(SSL_CTX_dane_enable(ssl) == 1);
	/* RFC 7672 3.1.1: with DANE-EE the record is all that counts. */
	SSL_CTX_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	return ssl;
}

/* The next certificate of the file; false: there is no more. One that cannot be read does not hide
 * those behind it. */
static bool take_authority(struct tls_roots *roots)
{
	bool ok = false, end = false;

	while (!ok && !end) {
		X509 *cert = PEM_read_bio_X509(roots->pem, NULL, NULL, NULL);
		ok = cert && X509_STORE_add_cert(SSL_CTX_get_cert_store(roots->ssl), cert) == 1;
		end = !cert && (BIO_eof(roots->pem) ||
				ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE);
		X509_free(cert);
	}
	return ok;
}

static SSL_CTX *with_authorities(struct tls_roots *roots)
{
	while (roots->pem && take_authority(roots))
		;
	BIO_free(roots->pem);
	roots->pem = NULL;
	ERR_clear_error();
	return roots->ssl;
}

int tls_roots_new(const char *file, struct tls_roots **out, struct err *err)
{
	struct tls_roots *roots = calloc(1, sizeof(*roots));

	if (!roots)
		check_no_memory();
	roots->ssl = new_ssl_ctx();
	*out = roots;
	ERR_clear_error();
	if (!file || !file[0])
		return err_set(err, -ENOENT, "no file with certificates of authorities");
	roots->pem = BIO_new_file(file, "re");
	/* One now, so that a file that is none is told of when it is named. */
	if (!roots->pem || !take_authority(roots))
		return err_set(err, -EINVAL, "%s: %s", file, tls_reason());
	return 0;
}

void tls_roots_free(struct tls_roots *roots)
{
	if (!roots)
		return;
	BIO_free(roots->pem);
	SSL_CTX_free(roots->ssl);
	free(roots);
}

/* RFC 6698 2.1.3: with matching type 0 the data is the certificate or the key itself. */
static bool is_whole(const struct tls_dane *d)
{
	const unsigned char *p = (const unsigned char *)d->data.p;
	const unsigned char *end = p + d->data.n;
	bool ok;

	ERR_clear_error();
	if (d->selector == 0) {
		X509 *cert = d2i_X509(NULL, &p, (long)d->data.n);
		ok = cert && p == end;
		X509_free(cert);
	} else {
		EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)d->data.n);
		ok = key && p == end;
		EVP_PKEY_free(key);
	}
	ERR_clear_error();
	return ok;
}

bool tls_dane_is_usable(const struct tls_dane *d)
{
	if ((d->usage != 2 && d->usage != 3) || d->selector > 1)
		return false;
	switch (d->matching) {
	case 0:
		return is_whole(d);
	case 1:
		return d->data.n == 32;
	case 2:
		return d->data.n == 64;
	default:
		return false;
	}
}

static int expect_dane(SSL *ssl, const struct tls_expectation *want, struct err *err)
{
	int added = 0;

	if (SSL_dane_enable(ssl, want->names[0]) != 1)
		return err_set(err, -EPROTO, "DANE: %s", tls_reason());
	for (size_t i = 0; i < want->dane_count; i++) {
		const struct tls_dane *d = &want->dane[i];
		added += SSL_dane_tlsa_add(ssl, d->usage, d->selector, d->matching,
					   (const unsigned char *)d->data.p, d->data.n) > 0;
	}
	ERR_clear_error();
	return added ? 0 : err_set(err, -EPROTO, "DANE: no TLSA record can be used");
}

static int expect(SSL *ssl, const struct tls_expectation *want, struct err *err)
{
	int r = 0;

	check(want->name_count);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (want->dane_count)
		r = expect_dane(ssl, want, err);
	else if (SSL_set1_host(ssl, want->names[0]) != 1)
		check_no_memory();
	for (size_t i = 1; i < want->name_count && r == 0; i++)
		if (SSL_add1_host(ssl, want->names[i]) != 1)
			check_no_memory();
	if (want->server_name)
		(void)SSL_set_tlsext_host_name(ssl, want->server_name);
	SSL_set_verify(ssl, want->required ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	return r;
}

static enum tls_fault fault_of(long code)
{
	switch (code) {
	case X509_V_OK:
		return TLS_FAULT_NONE;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TLS_FAULT_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_FAULT_EXPIRED;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return TLS_FAULT_UNTRUSTED;
	default:
		return TLS_FAULT_OTHER;
	}
}

static void judge(SSL *ssl, struct tls_verified *out)
{
	long code = SSL_get_verify_result(ssl);

	*out = (struct tls_verified){ .fault = fault_of(code) };
	if (!SSL_get0_peer_certificate(ssl) && code == X509_V_OK) {
		snprintf(out->reason, sizeof(out->reason), "there is no certificate");
		return;
	}
	out->ok = code == X509_V_OK;
	if (!out->ok)
		snprintf(out->reason, sizeof(out->reason), "%s",
			 X509_verify_cert_error_string(code));
}

int tls_connect(struct stream *s, struct tls_roots *roots, const struct tls_expectation *want,
		struct tls_verified *out, struct err *err)
{
	*out = (struct tls_verified){ .fault = TLS_FAULT_OTHER,
				      .reason = "there was no handshake" };
	int r = stream_flush(s);
	if (r < 0)
		return err_set(err, r, "TLS handshake: %s", strerror(-r));

	struct tls_layer *l = tls_layer_new(s, SSL_new(with_authorities(roots)));
	SSL_set_connect_state(l->ssl);
	r = expect(l->ssl, want, err);
	if (r == 0)
		r = tls_handshake(s, l, err);
	if (r == 0 || SSL_get_verify_result(l->ssl) != X509_V_OK)
		judge(l->ssl, out);
	if (r == -EPROTO && want->required && !out->ok &&
	    SSL_get_verify_result(l->ssl) != X509_V_OK)
		r = err_set(err, -EACCES, "%s", out->reason);
	if (r < 0) {
		tls_layer_free(l);
		return r;
	}
	stream_push_layer(s, &l->base);
	return 0;
}

size_t tls_channel_binding(const struct stream *s, const char **type,
			   unsigned char out[TLS_BINDING_MAX])
{
	static const char label[] = "EXPORTER-Channel-Binding";

	if (!stream_layer(s))
		return 0;
	SSL *ssl = CONTAINER_OF(stream_layer(s), struct tls_layer, base)->ssl;
	if (SSL_version(ssl) == TLS1_3_VERSION) {
		*type = "tls-exporter";
		return SSL_export_keying_material(ssl, out, 32, label, sizeof(label) - 1, NULL, 0,
						  0) == 1
			       ? 32
			       : 0;
	}
	*type = "tls-unique";
	return SSL_get_finished(ssl, out, TLS_BINDING_MAX);
}
