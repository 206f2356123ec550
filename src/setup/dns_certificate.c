#include "setup/dns_certificate.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/settings.h"

#define FILE_MAX  ((size_t)1 << 20)
#define CHAIN_MAX 10

static struct str take_der(struct arena *a, unsigned char *der, int n)
{
	struct str s = n > 0 ? arena_str(a, str_of(der, (size_t)n)) : STR_NONE;

	if (n > 0)
		OPENSSL_free(der);
	return s;
}

static struct str der_of(X509 *x, struct arena *a)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	return take_der(a, der, n);
}

static struct str key_of(X509 *x, struct arena *a)
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	return take_der(a, der, n);
}

static struct str issuer_of(X509 *x, struct arena *a)
{
	char name[256];
	int n = X509_NAME_get_text_by_NID(X509_get_issuer_name(x), NID_organizationName, name,
					  sizeof(name));

	return n > 0 ? arena_str(a, str_from(name)) : STR_NONE;
}

static void add_to_chain(struct dns_certificate *c, X509 *x, struct arena *a)
{
	c->chain[c->chain_count] = der_of(x, a);
	c->chain_keys[c->chain_count++] = key_of(x, a);
}

/* The certificate comes first, its chain follows. */
static int parse(struct str pem, struct arena *a, struct dns_certificate *out)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	int r = x ? 0 : -EINVAL;

	*out = (struct dns_certificate){ .chain = ARENA_NEW_ARRAY(a, struct str, CHAIN_MAX),
					 .chain_keys = ARENA_NEW_ARRAY(a, struct str, CHAIN_MAX) };
	if (x) {
		out->der = der_of(x, a);
		out->spki = key_of(x, a);
		out->issuer = issuer_of(x, a);
	}
	for (X509_free(x); r == 0 && out->chain_count < CHAIN_MAX; X509_free(x)) {
		x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		if (!x)
			break;
		add_to_chain(out, x, a);
	}
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

static int load(struct str path, struct arena *a, struct dns_certificate *out, struct err *err)
{
	struct str pem;
	int r = fd_read_file(arena_cstr(a, path), a, FILE_MAX, &pem, err);

	if (r == 0 && parse(pem, a, out) < 0)
		r = err_set(err, -EINVAL, "%" STR_FMT " is no certificate", STR_ARG(path));
	return r;
}

/* As roles/front_tls.c finds them. */
static size_t find_files(const struct settings *set, struct arena *a,
			 struct str out[DNS_CERTIFICATES_MAX])
{
	size_t n = 0;

	switch (set->ssl_type) {
	case SETTING_SSL_TYPE_MANUAL:
		out[n++] = set->ssl_cert_path;
		if (set->ssl_alt_cert_path.n)
			out[n++] = set->ssl_alt_cert_path;
		return n;
	case SETTING_SSL_TYPE_SELF_SIGNED:
		out[0] = arena_printf(a, "%" STR_FMT "/ssl/%" STR_FMT "-cert.pem",
				      STR_ARG(set->config_dir), STR_ARG(set->fqdn));
		return 1;
	case SETTING_SSL_TYPE_NONE:
		out[0] = arena_printf(a, "%" STR_FMT "/tls/%" STR_FMT "-cert.pem",
				      STR_ARG(set->state_dir), STR_ARG(set->fqdn));
		return 1;
	default:
		return 0;
	}
}

int dns_certificates_load(const struct settings *set, struct arena *a,
			  struct dns_certificate out[DNS_CERTIFICATES_MAX], struct err *err)
{
	struct str files[DNS_CERTIFICATES_MAX];
	size_t n = find_files(set, a, files);

	if (!n)
		return err_set(err, -ENOENT, "SSL_TYPE names none");
	for (size_t i = 0; i < n; i++) {
		int r = load(files[i], a, &out[i], err);
		if (r < 0)
			return r;
	}
	return (int)n;
}

struct str dns_certificate_digest(struct str bytes, unsigned matching, struct arena *a)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (matching == 0)
		return bytes;
	if (matching > 2 || !EVP_Digest(bytes.p, bytes.n, digest, &n,
					matching == 1 ? EVP_sha256() : EVP_sha512(), NULL))
		return STR_NONE;
	return arena_str(a, str_of(digest, n));
}
