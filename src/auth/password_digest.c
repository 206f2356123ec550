/* Plain and salted digests, as directories (RFC 2307) hold them. */
#include "auth/password_scheme.h"

#include <errno.h>

#include <openssl/evp.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/err.h"

static void free_context(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

static int digest(const char *name, struct str password, struct str salt,
		  unsigned char out[PASSWORD_DIGEST_MAX])
{
	const EVP_MD *md = EVP_get_digestbyname(name);
	__attribute__((cleanup(free_context))) EVP_MD_CTX *c = EVP_MD_CTX_new();
	if (!c)
		check_no_memory();
	if (!md || EVP_DigestInit_ex(c, md, NULL) != 1 ||
	    EVP_DigestUpdate(c, password.p, password.n) != 1 ||
	    EVP_DigestUpdate(c, salt.p, salt.n) != 1 || EVP_DigestFinal_ex(c, out, NULL) != 1)
		return -ENOTSUP;
	return EVP_MD_get_size(md);
}

int password_verify_digest(const struct password_scheme *scheme, struct str value,
			   struct str password, struct err *err)
{
	unsigned char computed[PASSWORD_DIGEST_MAX];
	const EVP_MD *md = EVP_get_digestbyname(scheme->digest);
	size_t size = md ? (size_t)EVP_MD_get_size(md) : 0;

	if (size == 0)
		return err_set(err, -ENOTSUP, "{%" STR_FMT "}: not offered by the crypto library",
			       STR_ARG(scheme->name));
	if (value.n < size || (value.n > size && !scheme->salted))
		return err_set(err, -EINVAL, "{%" STR_FMT "}: wrong length", STR_ARG(scheme->name));
	if (digest(scheme->digest, password, str_skip(value, size), computed) < 0)
		return err_set(err, -ENOTSUP, "{%" STR_FMT "}: not offered by the crypto library",
			       STR_ARG(scheme->name));
	return password_compare(str_of(computed, size), str_sub(value, 0, size), err);
}

/* {MD5} means both: crypt's $1$ and an unsalted digest in hexadecimal. */
int password_verify_md5(const struct password_scheme *scheme, struct str value, struct str password,
			struct err *err)
{
	if (str_starts(value, STR("$1$")))
		return password_verify_crypt(scheme, value, password, err);

	auto_arena struct arena a = ARENA_INIT;
	struct buf raw;
	buf_init(&raw, &a, PASSWORD_DIGEST_MAX);
	if (hex_parse(value, &raw) < 0)
		return err_set(err, -EINVAL, "{MD5}: neither crypt nor hexadecimal");
	return password_verify_digest(scheme, buf_str(&raw), password, err);
}
