#include "auth/password.h"

#include <crypt.h>
#include <errno.h>

#include <openssl/crypto.h>

#include "auth/password_scheme.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/rand.h"

#define CREATE_SALT_MAX 16

static const struct password_scheme schemes[] = {
	{ STR_INIT("SHA512-CRYPT"), password_verify_crypt },
	{ STR_INIT("SHA256-CRYPT"), password_verify_crypt },
	{ STR_INIT("BLF-CRYPT"), password_verify_crypt },
	{ STR_INIT("MD5-CRYPT"), password_verify_crypt },
	{ STR_INIT("DES-CRYPT"), password_verify_crypt },
	{ STR_INIT("CRYPT"), password_verify_crypt },
	{ STR_INIT("MD5"), password_verify_md5, .digest = "MD5" },
	{ STR_INIT("ARGON2I"), password_verify_argon2 },
	{ STR_INIT("ARGON2ID"), password_verify_argon2 },
	{ STR_INIT("PBKDF2"), password_verify_pbkdf2, .digest = "SHA1" },
	{ STR_INIT("SCRAM-SHA-1"), password_verify_scram, .digest = "SHA1" },
	{ STR_INIT("SCRAM-SHA-256"), password_verify_scram, .digest = "SHA256" },
	{ STR_INIT("SHA"), password_verify_digest, PASSWORD_BASE64, "SHA1", false },
	{ STR_INIT("SHA1"), password_verify_digest, PASSWORD_BASE64, "SHA1", false },
	{ STR_INIT("SHA256"), password_verify_digest, PASSWORD_BASE64, "SHA256", false },
	{ STR_INIT("SHA512"), password_verify_digest, PASSWORD_BASE64, "SHA512", false },
	{ STR_INIT("PLAIN-MD5"), password_verify_digest, PASSWORD_HEX, "MD5", false },
	{ STR_INIT("LDAP-MD5"), password_verify_digest, PASSWORD_BASE64, "MD5", false },
	{ STR_INIT("SMD5"), password_verify_digest, PASSWORD_BASE64, "MD5", true },
	{ STR_INIT("SSHA"), password_verify_digest, PASSWORD_BASE64, "SHA1", true },
	{ STR_INIT("SSHA256"), password_verify_digest, PASSWORD_BASE64, "SHA256", true },
	{ STR_INIT("SSHA512"), password_verify_digest, PASSWORD_BASE64, "SHA512", true },
	{ STR_INIT("PLAIN"), password_verify_plain },
	{ STR_INIT("CLEAR"), password_verify_plain },
	{ STR_INIT("CLEARTEXT"), password_verify_plain },
};

/* An account without scheme: SHA512-CRYPT, which crypt(3) tells from others by its prefix. */
static const struct password_scheme *const default_scheme = &schemes[0];

struct stored_password {
	const struct password_scheme *scheme;
	enum password_encoding encoding;
	struct str value; /* still encoded */
};

static const struct password_scheme *find_scheme(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_eq_nocase(schemes[i].name, name))
			return &schemes[i];
	return NULL;
}

/* Dovecot takes a digest of twice the digest's length for hexadecimal, whatever the scheme's usual
 * encoding is. */
static bool looks_like_hex(struct str value)
{
	if (value.n != 32 && value.n != 40 && value.n != 64 && value.n != 128)
		return false;
	for (size_t i = 0; i < value.n; i++)
		if (ascii_hex_value((unsigned char)value.p[i]) < 0)
			return false;
	return true;
}

static int parse_suffix(struct str suffix, enum password_encoding *out)
{
	if (str_eq_nocase(suffix, STR("b64")) || str_eq_nocase(suffix, STR("base64")))
		*out = PASSWORD_BASE64;
	else if (str_eq_nocase(suffix, STR("hex")))
		*out = PASSWORD_HEX;
	else
		return -ENOTSUP;
	return 0;
}

static int parse_scheme(struct str inside, struct stored_password *out, struct err *err)
{
	struct str name, suffix;
	bool has_suffix = str_cut(inside, '.', &name, &suffix);
	out->scheme = find_scheme(name);
	if (!out->scheme)
		return err_set(err, -ENOTSUP, "unknown password scheme {%" STR_FMT "}",
			       STR_ARG(str_sub(inside, 0, 64)));

	out->encoding = out->scheme->encoding;
	if (has_suffix && parse_suffix(suffix, &out->encoding) < 0)
		return err_set(err, -ENOTSUP, "unknown password encoding {%" STR_FMT "}",
			       STR_ARG(str_sub(inside, 0, 64)));
	if (!has_suffix && out->encoding == PASSWORD_BASE64 && !out->scheme->salted &&
	    looks_like_hex(out->value))
		out->encoding = PASSWORD_HEX;
	return 0;
}

static int parse_stored(struct str stored, struct stored_password *out, struct err *err)
{
	if (stored.n > PASSWORD_STORED_MAX)
		return err_set(err, -EINVAL, "stored password exceeds %d bytes",
			       PASSWORD_STORED_MAX);
	*out = (struct stored_password){ .scheme = default_scheme, .value = stored };
	if (str_starts(stored, STR("{"))) {
		struct str inside;
		if (!str_cut(str_skip(stored, 1), '}', &inside, &out->value))
			return err_set(err, -EINVAL, "stored password: no } after the scheme");
		int r = parse_scheme(inside, out, err);
		if (r < 0)
			return r;
	}
	if (out->value.n == 0)
		return err_set(err, -EINVAL, "stored password is empty");
	return 0;
}

/* Padding is often lost on the way into account files; it carries no information. */
static int decode_base64(struct str value, struct buf *out)
{
	char padded[PASSWORD_STORED_MAX / 2];
	if (value.n + 3 > sizeof(padded))
		return -EINVAL;
	memcpy(padded, value.p, value.n);
	while (value.n % 4)
		padded[value.n++] = '=';
	return base64_parse(str_of(padded, value.n), out);
}

static int decode(const struct stored_password *p, struct buf *out, struct err *err)
{
	int r = 0;
	if (p->encoding == PASSWORD_TEXT)
		buf_put_str(out, p->value);
	else if (p->encoding == PASSWORD_BASE64)
		r = decode_base64(p->value, out);
	else
		r = hex_parse(p->value, out);
	if (r < 0 || buf_failed(out))
		return err_set(err, -EINVAL, "stored password {%" STR_FMT "} is badly encoded",
			       STR_ARG(p->scheme->name));
	return 0;
}

int password_check_stored(struct str stored, struct err *err)
{
	struct stored_password p;
	auto_arena struct arena a = ARENA_INIT;
	struct buf value;

	buf_init(&value, &a, PASSWORD_STORED_MAX);
	int r = parse_stored(stored, &p, err);
	return r < 0 ? r : decode(&p, &value, err);
}

int password_verify(struct str stored, struct str password, struct err *err)
{
	struct stored_password p;
	auto_arena struct arena a = ARENA_INIT;
	struct buf value;

	/* No scheme can tell what follows a NUL: it would match a shorter password. */
	if (password.n == 0 || password.n > PASSWORD_MAX || str_find_byte(password, '\0') >= 0)
		return err_set(err, -EACCES, "password is empty, too long or holds a NUL");
	int r = parse_stored(stored, &p, err);
	if (r < 0)
		return r;
	buf_init(&value, &a, PASSWORD_STORED_MAX);
	r = decode(&p, &value, err);
	return r < 0 ? r : p.scheme->verify(p.scheme, buf_str(&value), password, err);
}

int password_compare(struct str computed, struct str stored, struct err *err)
{
	if (str_eq_secret(computed, stored))
		return 0;
	return err_set(err, -EACCES, "password mismatch");
}

int password_verify_plain(const struct password_scheme *scheme, struct str value,
			  struct str password, struct err *err)
{
	(void)scheme;
	return password_compare(password, value, err);
}

/* 6 random bits a character; the alphabet of crypt(3). */
static void put_salt(struct buf *out)
{
	static const char digits[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned char random[CREATE_SALT_MAX];

	rand_bytes(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		buf_putc(out, digits[random[i] & 63]);
}

int password_create(struct str password, struct arena *a, struct str *stored, struct err *err)
{
	if (password.n == 0 || password.n > PASSWORD_MAX || str_find_byte(password, '\0') >= 0)
		return err_set(err, -EINVAL, "password is empty, too long or holds a NUL");

	struct buf setting;
	buf_init(&setting, a, 64);
	buf_puts(&setting, "$6$");
	put_salt(&setting);
	char *phrase = arena_cstr(a, password);
	struct crypt_data *data = ARENA_NEW(a, struct crypt_data);
	const char *hash = crypt_rn(phrase, buf_cstr(&setting), data, sizeof(*data));
	if (!hash || *hash == '*')
		return err_sys(err, "crypt");

	*stored = arena_printf(a, "{SHA512-CRYPT}%s", hash);
	OPENSSL_cleanse(phrase, password.n);
	OPENSSL_cleanse(data, sizeof(*data));
	return 0;
}
