/* Everything crypt(3) computes, within bounds: the cost is part of the stored value, and whoever
 * can write one account line must not be able to stop the logins of all others. */
#include "auth/password_scheme.h"

#include <crypt.h>
#include <errno.h>

#include <openssl/crypto.h>

#include "base/arena.h"
#include "base/err.h"

#define CRYPT_ROUNDS_MAX   2000000 /* SHA-crypt: about a second */
#define CRYPT_BLOWFISH_MAX 16	   /* 2^16 rounds: about four seconds */
#define CRYPT_MEMORY_CHAR  'D'	   /* yescrypt and scrypt: N = 2^16, 256 MiB */
#define CRYPT_DES_LENGTH   13

/* "rounds=N$" is optional; without it the cost is the default one. */
static int check_rounds(struct str after_prefix)
{
	struct str number, rest;
	uint64_t rounds;

	if (!str_starts(after_prefix, STR("rounds=")))
		return 0;
	if (!str_cut(str_skip(after_prefix, 7), '$', &number, &rest))
		return -EINVAL;
	return str_to_u64(number, CRYPT_ROUNDS_MAX, &rounds);
}

/* "$2y$NN$..." */
static int check_blowfish(struct str after_prefix)
{
	uint64_t cost;
	if (after_prefix.n < 3 || after_prefix.p[2] != '$')
		return -EINVAL;
	return str_to_u64(str_sub(after_prefix, 0, 2), CRYPT_BLOWFISH_MAX, &cost);
}

/* The parameters that crypt_gensalt writes: one character for N, the rest fixed. */
static int check_memory_hard(struct str n_and_rest, struct str rest)
{
	if (n_and_rest.n == 0 || !str_starts(str_skip(n_and_rest, 1), rest))
		return -ERANGE;
	return n_and_rest.p[0] <= CRYPT_MEMORY_CHAR ? 0 : -ERANGE;
}

static int check_yescrypt(struct str after_prefix)
{
	return check_memory_hard(after_prefix, STR("T$"));
}

static int check_scrypt(struct str after_prefix)
{
	return check_memory_hard(after_prefix, STR("U..../...."));
}

static int check_nothing(struct str after_prefix)
{
	return after_prefix.n ? 0 : -EINVAL;
}

static const struct {
	struct str prefix;
	int (*check_cost)(struct str after_prefix);
} crypt_methods[] = {
	{ STR_INIT("$6$"), check_rounds },    { STR_INIT("$5$"), check_rounds },
	{ STR_INIT("$2y$"), check_blowfish }, { STR_INIT("$2b$"), check_blowfish },
	{ STR_INIT("$2a$"), check_blowfish }, { STR_INIT("$1$"), check_nothing },
	{ STR_INIT("$y$j"), check_yescrypt }, { STR_INIT("$7$"), check_scrypt },
};

static bool is_des(struct str value)
{
	if (value.n != CRYPT_DES_LENGTH)
		return false;
	for (size_t i = 0; i < value.n; i++)
		if (!ascii_is_alnum((unsigned char)value.p[i]) && value.p[i] != '.' &&
		    value.p[i] != '/')
			return false;
	return true;
}

static int check_method(struct str value)
{
	for (size_t i = 0; i < ARRAY_LEN(crypt_methods); i++)
		if (str_starts(value, crypt_methods[i].prefix))
			return crypt_methods[i].check_cost(
				str_skip(value, crypt_methods[i].prefix.n));
	return is_des(value) ? 0 : -ENOTSUP;
}

int password_verify_crypt(const struct password_scheme *scheme, struct str value,
			  struct str password, struct err *err)
{
	int r = check_method(value);
	if (r < 0)
		return err_set(err, r, "{%" STR_FMT "}: %s", STR_ARG(scheme->name),
			       r == -ERANGE ? "costs more than a login may" : "not a crypt value");

	auto_arena struct arena a = ARENA_INIT;
	char *phrase = arena_cstr(&a, password);
	struct crypt_data *data = ARENA_NEW(&a, struct crypt_data);
	const char *hash = crypt_rn(phrase, arena_cstr(&a, value), data, sizeof(*data));
	OPENSSL_cleanse(phrase, password.n);
	if (!hash || *hash == '*')
		r = err_set(err, -EINVAL, "{%" STR_FMT "}: crypt refuses the value",
			    STR_ARG(scheme->name));
	else
		r = password_compare(str_from(hash), value, err);
	OPENSSL_cleanse(data, sizeof(*data));
	return r;
}
