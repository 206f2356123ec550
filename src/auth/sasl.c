#include "auth/sasl.h"

#include <errno.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/utf8.h"

static const struct str login_challenges[] = {
	STR_INIT("VXNlcm5hbWU6"), /* Username: */
	STR_INIT("UGFzc3dvcmQ6"), /* Password: */
};

bool sasl_mech_parse(struct str name, enum sasl_mech *out)
{
	if (str_eq_nocase(name, STR("PLAIN")))
		*out = SASL_PLAIN;
	else if (str_eq_nocase(name, STR("LOGIN")))
		*out = SASL_LOGIN;
	else
		return false;
	return true;
}

static bool is_name(struct str s)
{
	return s.n <= SASL_NAME_MAX && utf8_is_valid(s) && str_find_byte(s, '\0') < 0;
}

int sasl_plain_parse(struct str message, struct sasl_credentials *out)
{
	struct sasl_credentials c;
	struct str rest;

	if (!str_cut(message, '\0', &c.authzid, &rest) ||
	    !str_cut(rest, '\0', &c.user, &c.password))
		return -EINVAL;
	if (c.user.n == 0 || c.password.n == 0 || str_find_byte(c.password, '\0') >= 0)
		return -EINVAL;
	if (!is_name(c.authzid) || !is_name(c.user))
		return -EINVAL;
	*out = c;
	return 0;
}

/* RFC 4954 4: "=" stands for an empty initial response, which no later answer can be. */
static int decode(struct sasl_exchange *x, struct str line, struct str *out)
{
	struct buf raw;
	if (line.n > SASL_LINE_MAX)
		return -EINVAL;
	buf_init(&raw, x->arena, SASL_LINE_MAX);
	if (base64_parse(line, &raw) < 0)
		return -EINVAL;
	*out = buf_str(&raw);
	return 0;
}

static enum sasl_step login_take(struct sasl_exchange *x, struct str answer, struct str *challenge)
{
	if (x->round++ == 0) {
		if (answer.n == 0 || !is_name(answer))
			return SASL_INVALID;
		x->credentials.user = answer;
		*challenge = login_challenges[1];
		return SASL_CONTINUE;
	}
	if (answer.n == 0 || str_find_byte(answer, '\0') >= 0)
		return SASL_INVALID;
	x->credentials.password = answer;
	return SASL_DONE;
}

static enum sasl_step take(struct sasl_exchange *x, struct str answer, struct str *challenge)
{
	if (x->mech == SASL_LOGIN)
		return login_take(x, answer, challenge);
	return sasl_plain_parse(answer, &x->credentials) == 0 ? SASL_DONE : SASL_INVALID;
}

enum sasl_step sasl_start(struct sasl_exchange *x, struct arena *a, struct str initial,
			  struct str *challenge)
{
	*x = (struct sasl_exchange){ .mech = x->mech, .arena = a };
	if (!initial.p) {
		*challenge = x->mech == SASL_LOGIN ? login_challenges[0] : STR("");
		return SASL_CONTINUE;
	}
	if (str_eq(initial, STR("=")))
		return take(x, STR(""), challenge);
	return sasl_next(x, initial, challenge);
}

enum sasl_step sasl_next(struct sasl_exchange *x, struct str line, struct str *challenge)
{
	struct str answer;
	if (str_eq(line, STR("*")))
		return SASL_ABORTED;
	return decode(x, line, &answer) < 0 ? SASL_INVALID : take(x, answer, challenge);
}
