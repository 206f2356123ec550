/* PBKDF2 as Dovecot writes it, and the verifiers of SCRAM (RFC 5803 holds the same four values). */
#include "auth/password_scheme.h"

#include <errno.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/err.h"

#define PBKDF2_ROUNDS_MAX 2000000 /* about a second */
#define SCRAM_SALT_MAX	  256

struct derivation {
	const EVP_MD *md;
	struct str password;
	struct str salt;
	uint64_t rounds;
};

static int derive(const struct derivation *d, unsigned char *out, size_t n, struct err *err)
{
	if (PKCS5_PBKDF2_HMAC(d->password.p, (int)d->password.n, (const unsigned char *)d->salt.p,
			      (int)d->salt.n, (int)d->rounds, d->md, (int)n, out) != 1)
		return err_set(err, -ENOTSUP, "PBKDF2 is not offered by the crypto library");
	return 0;
}

static int parse_rounds(struct str text, uint64_t *out, struct err *err)
{
	int r = str_to_u64(text, PBKDF2_ROUNDS_MAX, out);
	if (r < 0 || *out == 0)
		return err_set(err, r == -ERANGE ? r : -EINVAL,
			       "password: iteration count is not within 1 and %d",
			       PBKDF2_ROUNDS_MAX);
	return 0;
}

/* "$1$<salt>$<rounds>$<40 hexadecimal digits>", HMAC-SHA-1 */
int password_verify_pbkdf2(const struct password_scheme *scheme, struct str value,
			   struct str password, struct err *err)
{
	struct str salt, rounds, hash;
	struct derivation d = { .md = EVP_get_digestbyname(scheme->digest), .password = password };
	unsigned char computed[PASSWORD_DIGEST_MAX];
	auto_arena struct arena a = ARENA_INIT;
	struct buf stored;

	buf_init(&stored, &a, PASSWORD_DIGEST_MAX);
	if (!str_starts(value, STR("$1$")) || !str_cut(str_skip(value, 3), '$', &salt, &rounds) ||
	    !str_cut(rounds, '$', &rounds, &hash) || hex_parse(hash, &stored) < 0 || stored.n == 0)
		return err_set(err, -EINVAL, "{PBKDF2}: not $1$salt$rounds$hash");
	d.salt = salt;
	int r = parse_rounds(rounds, &d.rounds, err);
	if (r < 0)
		return r;
	if (!d.md || stored.n != (size_t)EVP_MD_get_size(d.md))
		return err_set(err, -EINVAL, "{PBKDF2}: wrong length");
	r = derive(&d, computed, stored.n, err);
	return r < 0 ? r : password_compare(str_of(computed, stored.n), buf_str(&stored), err);
}

struct scram_value {
	uint64_t rounds;
	struct buf salt;
	struct buf stored_key;
	struct buf server_key;
};

/* "<rounds>,<salt>,<StoredKey>,<ServerKey>", the last three in base64 */
static int scram_parse(struct str value, struct arena *a, struct scram_value *out, struct err *err)
{
	struct str rounds, salt, stored, server;

	buf_init(&out->salt, a, SCRAM_SALT_MAX);
	buf_init(&out->stored_key, a, PASSWORD_DIGEST_MAX);
	buf_init(&out->server_key, a, PASSWORD_DIGEST_MAX);
	if (!str_cut(value, ',', &rounds, &salt) || !str_cut(salt, ',', &salt, &stored) ||
	    !str_cut(stored, ',', &stored, &server) || base64_parse(salt, &out->salt) < 0 ||
	    base64_parse(stored, &out->stored_key) < 0 ||
	    base64_parse(server, &out->server_key) < 0)
		return err_set(err, -EINVAL, "SCRAM password: not rounds,salt,key,key");
	return parse_rounds(rounds, &out->rounds, err);
}

/* RFC 5802 section 3: ServerKey := HMAC(SaltedPassword, "Server Key"). StoredKey would do as well;
 * one HMAC is enough. */
int password_verify_scram(const struct password_scheme *scheme, struct str value,
			  struct str password, struct err *err)
{
	static const unsigned char label[] = "Server Key";
	struct derivation d = { .md = EVP_get_digestbyname(scheme->digest), .password = password };
	unsigned char salted[PASSWORD_DIGEST_MAX], key[PASSWORD_DIGEST_MAX];
	auto_arena struct arena a = ARENA_INIT;
	struct scram_value v;

	int r = scram_parse(value, &a, &v, err);
	if (r < 0)
		return r;
	size_t size = d.md ? (size_t)EVP_MD_get_size(d.md) : 0;
	if (size == 0 || v.server_key.n != size || v.stored_key.n != size)
		return err_set(err, -EINVAL, "SCRAM password: wrong length");

	d.salt = buf_str(&v.salt);
	d.rounds = v.rounds;
	r = derive(&d, salted, size, err);
	if (r < 0)
		return r;
	if (!HMAC(d.md, salted, (int)size, label, sizeof(label) - 1, key, NULL))
		return err_set(err, -ENOTSUP, "HMAC is not offered by the crypto library");
	return password_compare(str_of(key, size), buf_str(&v.server_key), err);
}
