#include "core/self_signed.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/rand.h"

#define VALID_SECONDS (10L * 365 * 24 * 3600)

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!ext)
		return;
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_NAME_new();
	char alt_name[300];

	if (!cert || !subject)
		check_no_memory();
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), rand_u64() >> 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), VALID_SECONDS);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
				   -1, 0);
	X509_set_subject_name(cert, subject);
	X509_set_issuer_name(cert, subject);
	X509_NAME_free(subject);
	X509_set_pubkey(cert, key);
	snprintf(alt_name, sizeof(alt_name), "DNS:%s", name);
	add_extension(cert, NID_subject_alt_name, alt_name);
	add_extension(cert, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(cert, NID_ext_key_usage, "serverAuth");
	return cert;
}

static int write_pem(BIO *pem, const char *path, unsigned mode, struct err *err)
{
	char *text;
	long n = BIO_get_mem_data(pem, &text);

	return fd_replace_file(path, str_of(text, (size_t)n), mode, err);
}

int self_signed_make(const char *name, const char *cert_path, const char *key_path, struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	if (!key)
		return err_set(err, -EIO, "cannot make a private key");

	X509 *cert = make_certificate(key, name);
	BIO *key_pem = BIO_new(BIO_s_mem()), *cert_pem = BIO_new(BIO_s_mem());
	int r = -EIO;
	if (!key_pem || !cert_pem || !X509_sign(cert, key, EVP_sha256()) ||
	    !PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) ||
	    !PEM_write_bio_X509(cert_pem, cert))
		err_set(err, r, "cannot sign a certificate for %s", name);
	else if ((r = write_pem(key_pem, key_path, 0600, err)) == 0)
		r = write_pem(cert_pem, cert_path, 0644, err);

	BIO_free(key_pem);
	BIO_free(cert_pem);
	X509_free(cert);
	EVP_PKEY_free(key);
	return r;
}
