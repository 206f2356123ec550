#include "core/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "core/fiber.h"
#include "core/io.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/stream.h"
#include "core/tls_layer.h"

/* A handshake is a few packets. Without an end of its own it could take as many waits as it has
 * bytes. */
#define HANDSHAKE_MS 60000

/* DMS's TLS 1.2 lists, in its order. TLS 1.3's suites are OpenSSL's own. */
static const char *const cipher_lists[] = {
	[TLS_LEVEL_MODERN] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
			     "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
			     "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
			     "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384",
	[TLS_LEVEL_INTERMEDIATE] = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
				   "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
				   "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
				   "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
				   "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
				   "ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA384:"
				   "DHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256",
};

struct tls_context {
	unsigned refs;
	SSL_CTX *main;
	SSL_CTX *alt; /* NULL unless the second pair is chosen by SNI */
};

const char *tls_reason(void)
{
	unsigned long e = ERR_peek_error(); /* the first is the cause */
	const char *text = ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e))
			   : e		       ? ERR_reason_error_string(e)
					       : NULL;

	ERR_clear_error();
	return text ? text : "no reason given";
}

static void context_free(struct tls_context *ctx)
{
	SSL_CTX_free(ctx->main);
	SSL_CTX_free(ctx->alt);
	free(ctx);
}

struct tls_context *tls_context_ref(struct tls_context *ctx)
{
	if (ctx)
		ctx->refs++;
	return ctx;
}

void tls_context_unref(struct tls_context *ctx)
{
	if (ctx && --ctx->refs == 0)
		context_free(ctx);
}

static int load_pair(SSL_CTX *ssl, const char *cert, const char *key, struct err *err)
{
	if (SSL_CTX_use_certificate_chain_file(ssl, cert) != 1)
		return err_set(err, -EINVAL, "certificate %s: %s", cert, tls_reason());
	if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1)
		return err_set(err, -EINVAL, "private key %s: %s", key, tls_reason());
	if (SSL_CTX_check_private_key(ssl) != 1)
		return err_set(err, -EINVAL, "certificate %s and private key %s do not match", cert,
			       key);
	return 0;
}

static SSL_CTX *new_ssl_ctx(enum tls_level level)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());

	if (!ssl)
		check_no_memory();
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ssl, 0);
	SSL_CTX_set_dh_auto(ssl, 1);
	check(SSL_CTX_set_cipher_list(ssl, cipher_lists[level]) == 1);
	return ssl;
}

static int key_type(SSL_CTX *ssl)
{
	return EVP_PKEY_get_base_id(SSL_CTX_get0_privatekey(ssl));
}

/* RFC 6066 3: the certificate whose names match what the client asked for. */
static int choose_by_name(SSL *ssl, int *alert, void *arg)
{
	struct tls_context *ctx = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	(void)alert;

	if (name && X509_check_host(SSL_CTX_get0_certificate(ctx->main), name, 0, 0, NULL) != 1 &&
	    X509_check_host(SSL_CTX_get0_certificate(ctx->alt), name, 0, 0, NULL) == 1)
		SSL_set_SSL_CTX(ssl, ctx->alt);
	return SSL_TLSEXT_ERR_OK;
}

/* A second pair of another key type joins the first context: OpenSSL picks by what the client can
 * verify. One of the same type gets a context of its own. */
static int add_alternate(struct tls_context *ctx, const struct tls_files *f, enum tls_level level,
			 struct err *err)
{
	ctx->alt = new_ssl_ctx(level);
	int r = load_pair(ctx->alt, f->alt_cert, f->alt_key, err);
	if (r < 0)
		return r;

	if (key_type(ctx->alt) != key_type(ctx->main)) {
		SSL_CTX_free(ctx->alt);
		ctx->alt = NULL;
		return load_pair(ctx->main, f->alt_cert, f->alt_key, err);
	}
	SSL_CTX_set_tlsext_servername_callback(ctx->main, choose_by_name);
	SSL_CTX_set_tlsext_servername_arg(ctx->main, ctx);
	return 0;
}

int tls_context_new(const struct tls_files *files, enum tls_level level, struct tls_context **out,
		    struct err *err)
{
	struct tls_context *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		check_no_memory();
	ctx->refs = 1;
	ctx->main = new_ssl_ctx(level);
	int r = load_pair(ctx->main, files->cert, files->key, err);
	if (r == 0 && files->alt_cert)
		r = add_alternate(ctx, files, level, err);
	if (r < 0) {
		context_free(ctx);
		return r;
	}
	*out = ctx;
	return 0;
}

/* What a failed OpenSSL call means for the stream. */
static int map_error(struct tls_layer *l, int result)
{
	int saved = errno;

	switch (SSL_get_error(l->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		l->base.want_write = false;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		l->base.want_write = true;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return saved ? -saved : -ECONNRESET;
	default:
		return -EPROTO;
	}
}

static ssize_t layer_read(struct stream_layer *base, void *p, size_t n)
{
	struct tls_layer *l = CONTAINER_OF(base, struct tls_layer, base);
	size_t done;

	ERR_clear_error();
	errno = 0;
	int r = SSL_read_ex(l->ssl, p, n, &done);
	return r == 1 ? (ssize_t)done : map_error(l, r);
}

static ssize_t layer_write(struct stream_layer *base, const void *p, size_t n)
{
	struct tls_layer *l = CONTAINER_OF(base, struct tls_layer, base);
	size_t done;

	ERR_clear_error();
	errno = 0;
	int r = SSL_write_ex(l->ssl, p, n, &done);
	if (r == 1)
		return (ssize_t)done;
	int e = map_error(l, r);
	return e == 0 ? -EPIPE : e;
}

static void layer_free(struct stream_layer *base)
{
	struct tls_layer *l = CONTAINER_OF(base, struct tls_layer, base);

	ERR_clear_error();
	if (SSL_is_init_finished(l->ssl))
		(void)SSL_shutdown(l->ssl);
	ERR_clear_error();
	SSL_free(l->ssl);
	tls_context_unref(l->ctx);
	free(l);
}

struct tls_layer *tls_layer_new(struct stream *s, SSL *ssl)
{
	struct tls_layer *l = calloc(1, sizeof(*l));

	if (!l)
		check_no_memory();
	*l = (struct tls_layer){
		.base = { .read = layer_read, .write = layer_write, .free = layer_free },
		.ssl = ssl,
	};
	if (!l->ssl || SSL_set_fd(l->ssl, stream_io(s)->fd) != 1)
		check_no_memory();
	return l;
}

static int may_suspend handshake(struct stream *s, struct tls_layer *l, struct err *err)
{
	for (;;) {
		ERR_clear_error();
		errno = 0;
		int r = SSL_do_handshake(l->ssl);
		if (r == 1)
			return 0;
		int e = map_error(l, r);
		if (e == 0)
			e = -ECONNRESET;
		if (e == -EPROTO)
			return err_set(err, e, "TLS handshake: %s", tls_reason());
		if (e != -EAGAIN)
			return err_set(err, e, "TLS handshake: %s", strerror(-e));
		e = stream_wait_layer(s, &l->base);
		if (e < 0)
			return err_set(err, e, "TLS handshake: %s", strerror(-e));
	}
}

int tls_handshake(struct stream *s, struct tls_layer *l, struct err *err)
{
	stream_consume(s, stream_peek(s).n);
	int64_t limit = fiber_limit_begin(loop_deadline(HANDSHAKE_MS));
	int r = handshake(s, l, err);
	fiber_limit_end(limit);
	return r;
}

void tls_layer_free(struct tls_layer *l)
{
	layer_free(&l->base);
}

int tls_accept(struct stream *s, struct tls_context *ctx, struct err *err)
{
	int r = stream_flush(s);
	if (r < 0)
		return err_set(err, r, "TLS handshake: %s", strerror(-r));

	struct tls_layer *l = tls_layer_new(s, SSL_new(ctx->main));
	SSL_set_accept_state(l->ssl);
	l->ctx = tls_context_ref(ctx);
	r = tls_handshake(s, l, err);
	metric_add(r < 0 ? METRIC_TLS_FAILURES : METRIC_TLS_HANDSHAKES, 1);
	if (r < 0) {
		tls_layer_free(l);
		return r;
	}
	stream_push_layer(s, &l->base);
	return 0;
}

bool tls_get_info(const struct stream *s, struct tls_info *out)
{
	if (!stream_layer(s))
		return false;

	struct tls_layer *l = CONTAINER_OF(stream_layer(s), struct tls_layer, base);
	const char *name = SSL_get_servername(l->ssl, TLSEXT_NAMETYPE_host_name);
	const SSL_CIPHER *cipher = SSL_get_current_cipher(l->ssl);
	out->version = SSL_get_version(l->ssl);
	out->cipher = SSL_CIPHER_get_name(cipher);
	out->bits = SSL_CIPHER_get_bits(cipher, NULL);
	snprintf(out->server_name, sizeof(out->server_name), "%s", name ? name : "");
	return true;
}
