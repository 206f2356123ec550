/* Argon2 in its encoded form: "$argon2id$v=19$m=65536,t=3,p=1$salt$hash". */
#include "auth/password_scheme.h"

#include <argon2.h>
#include <errno.h>

#include "base/arena.h"
#include "base/err.h"

#define ARGON2_MEMORY_KIB_MAX (512 * 1024)
#define ARGON2_PASSES_MAX     64
#define ARGON2_LANES_MAX      64
#define ARGON2_WORK_KIB_MAX   (4ull * 1024 * 1024) /* memory times passes: a few seconds */

static int take_parameter(struct str *rest, const char *name, uint64_t max, uint64_t *out)
{
	struct str part, key;
	str_cut(*rest, ',', &part, rest);
	if (!str_cut(part, '=', &key, &part) || !str_eq(key, str_from(name)))
		return -EINVAL;
	return str_to_u64(part, max, out);
}

static int check_cost(struct str parameters)
{
	uint64_t memory, passes, lanes;

	int r = take_parameter(&parameters, "m", ARGON2_MEMORY_KIB_MAX, &memory);
	if (r == 0)
		r = take_parameter(&parameters, "t", ARGON2_PASSES_MAX, &passes);
	if (r == 0)
		r = take_parameter(&parameters, "p", ARGON2_LANES_MAX, &lanes);
	if (r < 0)
		return r;
	return memory * passes <= ARGON2_WORK_KIB_MAX ? 0 : -ERANGE;
}

/* The variant in the value decides, not the scheme's name: Dovecot does not compare them either. */
static int parse(struct str value, argon2_type *type)
{
	struct str name, rest, version, parameters;

	if (!str_starts(value, STR("$")) || !str_cut(str_skip(value, 1), '$', &name, &rest))
		return -EINVAL;
	if (str_eq(name, STR("argon2id")))
		*type = Argon2_id;
	else if (str_eq(name, STR("argon2i")))
		*type = Argon2_i;
	else
		return -EINVAL;

	/* Version 1.0 of the algorithm wrote no version. */
	if (str_starts(rest, STR("v=")))
		str_cut(rest, '$', &version, &rest);
	if (!str_cut(rest, '$', &parameters, &rest))
		return -EINVAL;
	return check_cost(parameters);
}

int password_verify_argon2(const struct password_scheme *scheme, struct str value,
			   struct str password, struct err *err)
{
	argon2_type type;
	int r = parse(value, &type);
	if (r < 0)
		return err_set(err, r, "{%" STR_FMT "}: %s", STR_ARG(scheme->name),
			       r == -ERANGE ? "costs more than a login may"
					    : "not an encoded argon2 hash");

	auto_arena struct arena a = ARENA_INIT;
	r = argon2_verify(arena_cstr(&a, value), password.p, password.n, type);
	if (r == ARGON2_OK)
		return 0;
	if (r == ARGON2_VERIFY_MISMATCH)
		return err_set(err, -EACCES, "password mismatch");
	return err_set(err, r == ARGON2_MEMORY_ALLOCATION_ERROR ? -ENOMEM : -EINVAL,
		       "{%" STR_FMT "}: %s", STR_ARG(scheme->name), argon2_error_message(r));
}
