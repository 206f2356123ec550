#include "filter/dkim_key.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "base/err.h"
#include "filter/dkim_tag.h"

#define ED25519_SIZE 32
#define RECORD_MAX   16384

static int refuse(const char **reason, const char *text)
{
	*reason = text;
	return -EINVAL;
}

/* What the tags around the key say. */
static int check_tags(const struct dkim_tags *tags, struct dkim_public_key *out,
		      const char **reason)
{
	const struct dkim_tag *v = dkim_tags_find(tags, STR("v"));
	const struct dkim_tag *h = dkim_tags_find(tags, STR("h"));
	const struct dkim_tag *s = dkim_tags_find(tags, STR("s"));
	struct str k = dkim_tags_value(tags, STR("k"));
	struct str t = dkim_tags_value(tags, STR("t"));

	if (v && (v != tags->v || !str_eq(v->value, STR("DKIM1"))))
		return refuse(reason, "unknown version of key record");
	if (h && !dkim_tag_has(h->value, ':', STR("sha256")))
		return refuse(reason, "key does not allow sha256");
	if (s && !dkim_tag_has(s->value, ':', STR("*")) &&
	    !dkim_tag_has(s->value, ':', STR("email")))
		return refuse(reason, "key is not for email");
	if (!k.n || str_eq(k, STR("rsa")))
		out->algorithm = DKIM_RSA_SHA256;
	else if (str_eq(k, STR("ed25519")))
		out->algorithm = DKIM_ED25519_SHA256;
	else
		return refuse(reason, "unknown type of key");
	out->testing = dkim_tag_has(t, ':', STR("y"));
	out->strict = dkim_tag_has(t, ':', STR("s"));
	return 0;
}

static EVP_PKEY *read_rsa(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *k = d2i_PUBKEY(NULL, &p, (long)der.n);

	if (!k) {
		/* RFC 6376 3.6.1 speaks of a bare RSAPublicKey, which hardly anybody has. */
		p = (const unsigned char *)der.p;
		k = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)der.n);
	}
	if (k && EVP_PKEY_get_base_id(k) != EVP_PKEY_RSA) {
		EVP_PKEY_free(k);
		k = NULL;
	}
	ERR_clear_error();
	return k;
}

static int read_key(struct str p, struct dkim_public_key *out, const char **reason)
{
	auto_buf struct buf text, bytes;

	buf_init(&text, NULL, RECORD_MAX);
	buf_init(&bytes, NULL, RECORD_MAX);
	dkim_tag_compact(&text, p);
	if (buf_failed(&text) || base64_parse(buf_str(&text), &bytes) < 0)
		return refuse(reason, "key is no base64");
	if (out->algorithm == DKIM_ED25519_SHA256 && bytes.n == ED25519_SIZE)
		out->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
							(const unsigned char *)bytes.p, bytes.n);
	else if (out->algorithm == DKIM_RSA_SHA256)
		out->pkey = read_rsa(buf_str(&bytes));
	if (!out->pkey)
		return refuse(reason, "key cannot be read");
	out->bits = (unsigned)EVP_PKEY_get_bits(out->pkey);
	return 0;
}

int dkim_public_key_parse(struct str record, struct dkim_public_key *out, const char **reason)
{
	struct dkim_tags tags;

	*out = (struct dkim_public_key){ .pkey = NULL };
	if (record.n > RECORD_MAX || dkim_tags_parse(record, &tags) < 0)
		return refuse(reason, "key record has a syntax error");
	const struct dkim_tag *p = dkim_tags_find(&tags, STR("p"));
	if (!p)
		return refuse(reason, "key record without a key");
	int r = check_tags(&tags, out, reason);
	if (r < 0)
		return r;
	if (!p->value.n) {
		*reason = "key was revoked";
		return -ENODATA;
	}
	return read_key(p->value, out, reason);
}

void dkim_public_key_done(struct dkim_public_key *key)
{
	EVP_PKEY_free(key->pkey);
	key->pkey = NULL;
}

static bool verify_rsa(EVP_PKEY *pkey, const unsigned char *digest, struct str signature)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(pkey, NULL);
	bool ok = c && EVP_PKEY_verify_init(c) > 0 &&
		  EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) > 0 &&
		  EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) > 0 &&
		  EVP_PKEY_verify(c, (const unsigned char *)signature.p, signature.n, digest, 32) ==
			  1;

	EVP_PKEY_CTX_free(c);
	return ok;
}

/* RFC 8463 3: pure Ed25519 over the digest. */
static bool verify_ed25519(EVP_PKEY *pkey, const unsigned char *digest, struct str signature)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, pkey) > 0 &&
		  EVP_DigestVerify(c, (const unsigned char *)signature.p, signature.n, digest,
				   32) == 1;

	EVP_MD_CTX_free(c);
	return ok;
}

bool dkim_public_key_verify(const struct dkim_public_key *key, const unsigned char digest[32],
			    struct str signature)
{
	bool ok = key->algorithm == DKIM_ED25519_SHA256
			  ? verify_ed25519(key->pkey, digest, signature)
			  : verify_rsa(key->pkey, digest, signature);

	ERR_clear_error();
	return ok;
}

static EVP_PKEY *read_pem(struct str text)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	/* A key that wants a password is none: the callback would ask the terminal. */
	EVP_PKEY *k = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (char[]){ "" }) : NULL;

	BIO_free(bio);
	return k;
}

static EVP_PKEY *read_seed(struct str text)
{
	auto_buf struct buf compact, bytes;
	EVP_PKEY *k = NULL;

	buf_init(&compact, NULL, 256);
	buf_init(&bytes, NULL, 256);
	dkim_tag_compact(&compact, text);
	/* Rspamd writes the seed, or the seed and the public key behind it. */
	if (!buf_failed(&compact) && base64_parse(buf_str(&compact), &bytes) == 0 &&
	    (bytes.n == ED25519_SIZE || bytes.n == 2 * ED25519_SIZE))
		k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
						 (const unsigned char *)bytes.p, ED25519_SIZE);
	OPENSSL_cleanse(bytes.p, bytes.n);
	OPENSSL_cleanse(compact.p, compact.n);
	return k;
}

int dkim_private_key_parse(struct str text, struct dkim_private_key *out, struct err *err)
{
	bool pem = str_find(text, STR("-----BEGIN")) >= 0;
	EVP_PKEY *k = text.n > RECORD_MAX ? NULL : pem ? read_pem(text) : read_seed(text);
	int kind = k ? EVP_PKEY_get_base_id(k) : 0;

	ERR_clear_error();
	if (!k)
		return err_set(err, -EINVAL, "no private key, or one with a password");
	if (kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(k) >= DKIM_RSA_BITS_MIN &&
	    EVP_PKEY_get_bits(k) <= DKIM_RSA_BITS_MAX) {
		*out = (struct dkim_private_key){ k, DKIM_RSA_SHA256 };
		return 0;
	}
	if (kind == EVP_PKEY_ED25519) {
		*out = (struct dkim_private_key){ k, DKIM_ED25519_SHA256 };
		return 0;
	}
	EVP_PKEY_free(k);
	return err_set(err, -EINVAL, "the key is neither RSA of %d bits or more nor Ed25519",
		       DKIM_RSA_BITS_MIN);
}

void dkim_private_key_done(struct dkim_private_key *key)
{
	EVP_PKEY_free(key->pkey);
	key->pkey = NULL;
}

bool dkim_private_key_fits(const struct dkim_private_key *key, const struct dkim_public_key *other)
{
	return other->pkey && EVP_PKEY_eq(key->pkey, other->pkey) == 1;
}

static size_t sign_rsa(EVP_PKEY *pkey, const unsigned char *digest, unsigned char *sig)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(pkey, NULL);
	size_t n = DKIM_SIGNATURE_MAX;

	check(c && EVP_PKEY_sign_init(c) > 0);
	check(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) > 0);
	check(EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) > 0);
	check(EVP_PKEY_sign(c, sig, &n, digest, 32) > 0);
	EVP_PKEY_CTX_free(c);
	return n;
}

static size_t sign_ed25519(EVP_PKEY *pkey, const unsigned char *digest, unsigned char *sig)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = DKIM_SIGNATURE_MAX;

	check(c && EVP_DigestSignInit(c, NULL, NULL, NULL, pkey) > 0);
	check(EVP_DigestSign(c, sig, &n, digest, 32) > 0);
	EVP_MD_CTX_free(c);
	return n;
}

void dkim_private_key_sign(const struct dkim_private_key *key, const unsigned char digest[32],
			   struct buf *out)
{
	unsigned char sig[DKIM_SIGNATURE_MAX];
	size_t n = key->algorithm == DKIM_ED25519_SHA256 ? sign_ed25519(key->pkey, digest, sig)
							 : sign_rsa(key->pkey, digest, sig);

	buf_put(out, sig, n);
}

void dkim_private_key_write_record(const struct dkim_private_key *key, struct buf *out)
{
	unsigned char raw[ED25519_SIZE];

	if (key->algorithm == DKIM_ED25519_SHA256) {
		size_t n = sizeof(raw);
		check(EVP_PKEY_get_raw_public_key(key->pkey, raw, &n) > 0);
		buf_puts(out, "k=ed25519; p=");
		base64_write(out, str_of(raw, n));
		return;
	}
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key->pkey, &der);
	check(n > 0);
	buf_puts(out, "k=rsa; p=");
	base64_write(out, str_of(der, (size_t)n));
	OPENSSL_free(der);
}

void dkim_private_key_generate(enum dkim_algorithm algorithm, unsigned bits,
			       struct dkim_private_key *out)
{
	*out = (struct dkim_private_key){ .algorithm = algorithm };
	out->pkey = algorithm == DKIM_ED25519_SHA256 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
						     : EVP_RSA_gen(bits);
	check(out->pkey != NULL);
}

void dkim_private_key_write(const struct dkim_private_key *key, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;

	if (!bio)
		check_no_memory();
	check(PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) > 0);
	long n = BIO_get_mem_data(bio, &text);
	buf_put(out, text, (size_t)n);
	BIO_free(bio);
}

void dkim_private_key_write_seed(const struct dkim_private_key *key, struct buf *out)
{
	unsigned char raw[ED25519_SIZE];
	size_t n = sizeof(raw);

	check(EVP_PKEY_get_raw_private_key(key->pkey, raw, &n) > 0);
	base64_write(out, str_of(raw, n));
	OPENSSL_cleanse(raw, sizeof(raw));
}
