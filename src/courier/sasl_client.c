#include "courier/sasl_client.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/base64.h"

#define HASH 32

static const struct {
	struct str name;
	enum courier_mechanism mechanism;
} by_strength[] = {
	{ STR_INIT("SCRAM-SHA-256-PLUS"), COURIER_AUTH_SCRAM_SHA_256_PLUS },
	{ STR_INIT("SCRAM-SHA-256"), COURIER_AUTH_SCRAM_SHA_256 },
	{ STR_INIT("PLAIN"), COURIER_AUTH_PLAIN },
	{ STR_INIT("LOGIN"), COURIER_AUTH_LOGIN },
	{ STR_INIT("CRAM-MD5"), COURIER_AUTH_CRAM_MD5 },
	{ STR_INIT("XOAUTH2"), COURIER_AUTH_XOAUTH2 },
};

enum courier_mechanism sasl_client_choose(unsigned offered, bool tls, bool can_bind)
{
	if (!tls)
		offered &= COURIER_AUTH_SCRAM_SHA_256 | COURIER_AUTH_CRAM_MD5;
	if (!can_bind)
		offered &= ~(unsigned)COURIER_AUTH_SCRAM_SHA_256_PLUS;
	for (size_t i = 0; i < ARRAY_LEN(by_strength); i++)
		if (offered & by_strength[i].mechanism)
			return by_strength[i].mechanism;
	return 0;
}

struct str sasl_client_name(enum courier_mechanism m)
{
	for (size_t i = 0; i < ARRAY_LEN(by_strength); i++)
		if (by_strength[i].mechanism == m)
			return by_strength[i].name;
	return STR_NONE;
}

static bool is_scram(const struct sasl_client *x)
{
	return x->mechanism & (COURIER_AUTH_SCRAM_SHA_256 | COURIER_AUTH_SCRAM_SHA_256_PLUS);
}

bool sasl_client_begins(const struct sasl_client *x)
{
	return x->mechanism != COURIER_AUTH_LOGIN && x->mechanism != COURIER_AUTH_CRAM_MD5;
}

bool sasl_client_is_complete(const struct sasl_client *x)
{
	return !is_scram(x) || x->server_proven;
}

void sasl_client_done(struct sasl_client *x)
{
	buf_done(&x->first_bare);
}

static int step_plain(struct sasl_client *x, struct buf *out)
{
	if (x->step > 1)
		return -EPROTO;
	buf_putc(out, '\0');
	buf_put_str(out, x->user);
	buf_putc(out, '\0');
	buf_put_str(out, x->password);
	return 0;
}

static int step_login(struct sasl_client *x, struct buf *out)
{
	if (x->step > 2)
		return -EPROTO;
	buf_put_str(out, x->step == 1 ? x->user : x->password);
	return 0;
}

static int step_cram_md5(struct sasl_client *x, struct str challenge, struct buf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (x->step > 1 || !challenge.n)
		return -EPROTO;
	if (!HMAC(EVP_md5(), x->password.p, (int)x->password.n, (const unsigned char *)challenge.p,
		  challenge.n, digest, &n))
		return -EPROTO;
	buf_put_str(out, x->user);
	buf_putc(out, ' ');
	hex_write(out, str_of(digest, n));
	return 0;
}

/* After a failure the server sends its reason as a challenge, which wants an empty answer. */
static int step_xoauth2(struct sasl_client *x, struct buf *out)
{
	if (x->step > 2)
		return -EPROTO;
	if (x->step == 1)
		buf_printf(out, "user=%" STR_FMT "\1auth=Bearer %" STR_FMT "\1\1", STR_ARG(x->user),
			   STR_ARG(x->password));
	return 0;
}

/* RFC 5802 5.1: "=" and "," of a name are escaped. */
static void put_saslname(struct buf *out, struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == ',')
			buf_puts(out, "=2C");
		else if (name.p[i] == '=')
			buf_puts(out, "=3D");
		else
			buf_putc(out, name.p[i]);
	}
}

/* RFC 5802 7: gs2-header. "y" says that we could bind and the server says it cannot. */
static void put_gs2(const struct sasl_client *x, struct buf *out)
{
	if (x->mechanism == COURIER_AUTH_SCRAM_SHA_256_PLUS)
		buf_printf(out, "p=%s,,", x->binding_type);
	else
		buf_puts(out, x->binding_type && !x->plus_offered ? "y,," : "n,,");
}

static int scram_first(struct sasl_client *x, struct buf *out)
{
	buf_init(&x->first_bare, NULL, SASL_CLIENT_MESSAGE_MAX);
	buf_puts(&x->first_bare, "n=");
	put_saslname(&x->first_bare, x->user);
	buf_printf(&x->first_bare, ",r=%s", x->nonce);
	put_gs2(x, out);
	buf_put_str(out, buf_str(&x->first_bare));
	return 0;
}

/* "x=value" off the front of *rest. */
static bool take_attribute(struct str *rest, char name, struct str *value)
{
	struct str field, more;

	if (!str_cut(*rest, ',', &field, &more)) {
		field = *rest;
		more = STR_NONE;
	}
	if (field.n < 2 || field.p[0] != name || field.p[1] != '=')
		return false;
	*value = str_skip(field, 2);
	*rest = more;
	return true;
}

static void hmac(const unsigned char key[HASH], struct str text, unsigned char out[HASH])
{
	unsigned n = HASH;

	if (!HMAC(EVP_sha256(), key, HASH, (const unsigned char *)text.p, text.n, out, &n))
		check_no_memory();
}

struct server_first {
	struct str nonce, salt; /* salt decoded */
	uint64_t iterations;
};

static int parse_server_first(const struct sasl_client *x, struct str text, struct buf *salt,
			      struct server_first *out)
{
	struct str rest = text, encoded, count;

	if (!take_attribute(&rest, 'r', &out->nonce) || !take_attribute(&rest, 's', &encoded) ||
	    !take_attribute(&rest, 'i', &count))
		return -EPROTO;
	/* The server's nonce continues ours. */
	if (!str_starts(out->nonce, str_from(x->nonce)) || out->nonce.n == strlen(x->nonce))
		return -EPROTO;
	if (str_to_u64(count, SASL_ITERATIONS_MAX, &out->iterations) < 0 || !out->iterations)
		return -EPROTO;
	if (base64_parse(encoded, salt) < 0 || !salt->n)
		return -EPROTO;
	out->salt = buf_str(salt);
	return 0;
}

/* RFC 5802 3 */
static void scram_prove(struct sasl_client *x, const struct server_first *first, struct str auth,
			unsigned char proof[HASH])
{
	unsigned char salted[HASH], client_key[HASH], stored[HASH], server_key[HASH];

	if (PKCS5_PBKDF2_HMAC(x->password.p ? x->password.p : "", (int)x->password.n,
			      (const unsigned char *)first->salt.p, (int)first->salt.n,
			      (int)first->iterations, EVP_sha256(), HASH, salted) != 1)
		check_no_memory();
	hmac(salted, STR("Client Key"), client_key);
	SHA256(client_key, HASH, stored);
	hmac(stored, auth, proof);
	for (size_t i = 0; i < HASH; i++)
		proof[i] ^= client_key[i];
	hmac(salted, STR("Server Key"), server_key);
	hmac(server_key, auth, x->server_signature);
	OPENSSL_cleanse(salted, sizeof(salted));
	OPENSSL_cleanse(client_key, sizeof(client_key));
}

static int scram_final(struct sasl_client *x, struct str challenge, struct buf *out)
{
	auto_buf struct buf salt, auth, gs2;
	struct server_first first;
	unsigned char proof[HASH];

	buf_init(&salt, NULL, SASL_CLIENT_MESSAGE_MAX);
	buf_init(&auth, NULL, 4 * SASL_CLIENT_MESSAGE_MAX);
	buf_init(&gs2, NULL, SASL_CLIENT_MESSAGE_MAX);
	int r = parse_server_first(x, challenge, &salt, &first);
	if (r < 0)
		return r;
	put_gs2(x, &gs2);
	if (x->mechanism == COURIER_AUTH_SCRAM_SHA_256_PLUS)
		buf_put_str(&gs2, x->binding);
	size_t begin = out->n;
	buf_puts(out, "c=");
	base64_write(out, buf_str(&gs2));
	buf_printf(out, ",r=%" STR_FMT, STR_ARG(first.nonce));
	buf_put_str(&auth, buf_str(&x->first_bare));
	buf_putc(&auth, ',');
	buf_put_str(&auth, challenge);
	buf_putc(&auth, ',');
	buf_put_str(&auth, str_skip(buf_str(out), begin));
	if (buf_failed(&auth) || buf_failed(out) || buf_failed(&x->first_bare))
		return -EPROTO;
	scram_prove(x, &first, buf_str(&auth), proof);
	buf_puts(out, ",p=");
	base64_write(out, str_of(proof, HASH));
	return 0;
}

static int scram_check_server(struct sasl_client *x, struct str challenge)
{
	auto_buf struct buf signature;
	struct str rest = challenge, encoded;

	buf_init(&signature, NULL, SASL_CLIENT_MESSAGE_MAX);
	if (!take_attribute(&rest, 'v', &encoded) || base64_parse(encoded, &signature) < 0 ||
	    !str_eq_secret(buf_str(&signature), str_of(x->server_signature, HASH)))
		return -EPROTO;
	x->server_proven = true;
	return 0;
}

static int step_scram(struct sasl_client *x, struct str challenge, struct buf *out)
{
	switch (x->step) {
	case 1:
		return scram_first(x, out);
	case 2:
		return scram_final(x, challenge, out);
	case 3:
		return scram_check_server(x, challenge);
	default:
		return -EPROTO;
	}
}

int sasl_client_step(struct sasl_client *x, struct str challenge, struct buf *out)
{
	x->step++;
	switch (x->mechanism) {
	case COURIER_AUTH_PLAIN:
		return step_plain(x, out);
	case COURIER_AUTH_LOGIN:
		return step_login(x, out);
	case COURIER_AUTH_CRAM_MD5:
		return step_cram_md5(x, challenge, out);
	case COURIER_AUTH_XOAUTH2:
		return step_xoauth2(x, out);
	default:
		return step_scram(x, challenge, out);
	}
}
