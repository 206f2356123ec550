#include "setup/dkim_options.h"

#include "setup/message.h"

bool dkim_is_domain(struct str s)
{
	if (!s.n || s.n > 253 || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alnum((unsigned char)s.p[i]) && s.p[i] != '-' && s.p[i] != '_' &&
		    (s.p[i] != '.' || s.p[i - 1] == '.'))
			return false;
	return true;
}

static enum setup_exit read_size(struct setup *s, struct str value, struct dkim_options *o)
{
	uint64_t bits;

	if (str_to_u64(value, 16384, &bits) < 0 || bits < DKIM_RSA_BITS_MIN)
		return message_fail_usage(s, "Unknown keysize '%" STR_FMT "'", STR_ARG(value));
	o->bits = (unsigned)bits;
	return SETUP_OK;
}

static enum setup_exit read_type(struct setup *s, struct str value, struct dkim_options *o)
{
	if (str_eq(value, STR("ed25519")))
		o->algorithm = DKIM_ED25519_SHA256;
	else if (!str_eq(value, STR("rsa")))
		return message_fail(s, "Unknown keytype '%" STR_FMT "'", STR_ARG(value));
	o->has_type = true;
	return SETUP_OK;
}

/* One option with its value. */
static enum setup_exit read_option(struct setup *s, unsigned *i, struct dkim_options *o)
{
	struct str name = setup_arg(s, *i), value = setup_arg(s, *i + 1);

	if (str_eq(name, STR("-f")) || str_eq(name, STR("--force"))) {
		o->force = true;
		return SETUP_OK;
	}
	if (str_eq(name, STR("-v")) || str_eq(name, STR("-vv"))) {
		o->verbose = true;
		return SETUP_OK;
	}
	(*i)++;
	if (!value.n)
		return message_fail_usage(s, "Unknown option(s) %" STR_FMT, STR_ARG(name));
	if (str_eq(name, STR("keysize")))
		return read_size(s, value, o);
	if (str_eq(name, STR("keytype")))
		return read_type(s, value, o);
	if (str_eq(name, STR("selector")))
		o->selector = value;
	else if (str_eq(name, STR("domain")))
		o->domains = value;
	else
		return message_fail_usage(s, "Unknown option(s) %" STR_FMT, STR_ARG(name));
	return SETUP_OK;
}

enum setup_exit dkim_options_read(struct setup *s, unsigned first, struct dkim_options *o)
{
	for (unsigned i = first; i < s->count; i++) {
		enum setup_exit r = read_option(s, &i, o);
		if (r != SETUP_OK)
			return r;
	}
	if (o->selector.n && !dkim_is_domain(o->selector))
		return message_fail(s, "'%" STR_FMT "' cannot be a selector", STR_ARG(o->selector));
	if (o->algorithm == DKIM_ED25519_SHA256 && o->bits != 2048)
		return message_fail(s, "Chosen keytype does not accept the 'keysize' argument");
	return SETUP_OK;
}
