#include "auth/login_cache.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rand.h"

#define PROOF_MAX 16384

void login_cache_init(struct login_cache *c)
{
	*c = (struct login_cache){ 0 };
	rand_bytes(c->key, sizeof(c->key));
}

void login_cache_clear(struct login_cache *c)
{
	for (size_t i = 0; i < LOGIN_CACHE_SLOTS; i++)
		c->slots[i].until = 0;
}

static void put_part(struct buf *b, struct str part)
{
	uint64_t n = part.n;
	buf_put(b, &n, sizeof(n));
	buf_put_str(b, part);
}

/* False when the proof is too long to be kept. */
static bool digest(const struct login_cache *c, const struct login_proof *p,
		   unsigned char out[LOGIN_CACHE_DIGEST])
{
	auto_arena struct arena a = ARENA_INIT;
	struct buf b;

	if (p->login.n + p->password.n + p->stored.n > PROOF_MAX / 2)
		return false;
	/* At its full size from the start, so that growing leaves no copy of the password
	 * behind. */
	buf_init(&b, &a, PROOF_MAX);
	if (!buf_space(&b, PROOF_MAX / 2 + 64))
		return false;
	put_part(&b, p->login);
	put_part(&b, p->password);
	put_part(&b, p->stored);
	const void *done = HMAC(EVP_sha256(), c->key, sizeof(c->key), (const unsigned char *)b.p,
				b.n, out, NULL);
	OPENSSL_cleanse(b.p, b.n);
	return done != NULL;
}

static size_t slot_of(const unsigned char digest[LOGIN_CACHE_DIGEST])
{
	return (digest[0] | (size_t)digest[1] << 8) % LOGIN_CACHE_SLOTS;
}

bool login_cache_has(const struct login_cache *c, const struct login_proof *p, int64_t now)
{
	unsigned char d[LOGIN_CACHE_DIGEST];
	if (!digest(c, p, d))
		return false;
	size_t i = slot_of(d);
	return c->slots[i].until > now && CRYPTO_memcmp(c->slots[i].digest, d, sizeof(d)) == 0;
}

void login_cache_add(struct login_cache *c, const struct login_proof *p, int64_t now)
{
	unsigned char d[LOGIN_CACHE_DIGEST];
	if (!digest(c, p, d))
		return;
	size_t i = slot_of(d);
	memcpy(c->slots[i].digest, d, sizeof(d));
	c->slots[i].until = now + LOGIN_CACHE_KEEP;
}
