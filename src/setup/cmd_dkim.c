#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "setup/dkim_files.h"
#include "setup/message.h"
#include "setup/setup_file.h"

#define HOST_NAME_MAX_ 256

/* On when it is numerically 1, as the server reads its switches. */
static bool is_on(const char *name, bool otherwise)
{
	struct str text = str_from(getenv(name));
	uint64_t value;

	if (!text.n)
		return otherwise;
	return str_to_u64(text, UINT64_MAX, &value) == 0 && value == 1;
}

static bool is_domain_name(struct str s)
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

static enum setup_exit read_options(struct setup *s, struct dkim_options *o)
{
	*o = (struct dkim_options){ .bits = 2048, .selector = STR("mail") };
	for (unsigned i = 0; i < s->count; i++) {
		enum setup_exit r = read_option(s, &i, o);
		if (r != SETUP_OK)
			return r;
	}
	if (!is_domain_name(o->selector))
		return message_fail(s, "'%" STR_FMT "' cannot be a selector", STR_ARG(o->selector));
	if (o->algorithm == DKIM_ED25519_SHA256 && o->bits != 2048)
		return message_fail(s, "Chosen keytype does not accept the 'keysize' argument");
	return SETUP_OK;
}

static int opendkim_domains(struct setup *s, const struct dkim_options *o, struct err *err)
{
	struct str rest = o->domains, domain;
	int r = 0;

	while (r == 0 && rest.n) {
		str_cut(rest, ',', &domain, &rest);
		domain = str_trim(domain);
		char *lower = arena_cstr(&s->arena, domain);
		str_lower_bytes(lower, domain.n);
		r = is_domain_name(domain) ? dkim_files_opendkim(s, o, str_of(lower, domain.n), err)
					   : err_set(err, -EINVAL, "'%" STR_FMT "' is not a domain",
						     STR_ARG(domain));
	}
	return r < 0 ? r : dkim_files_trusted_hosts(s, err);
}

static enum setup_exit run_opendkim(struct setup *s)
{
	struct dkim_options o;
	struct err err;

	enum setup_exit e = read_options(s, &o);
	if (e != SETUP_OK)
		return e;
	auto_close int lock = setup_lock(s, &err);
	if (lock < 0)
		return message_fail(s, "%s", err.text);
	if (!o.domains.n && dkim_domains(s, &o.domains, &err) < 0)
		return message_fail(s, "%s", err.text);
	if (!o.domains.n) {
		message(s, MESSAGE_WARN, "No entries found, no keys to make");
		return SETUP_OK;
	}
	return opendkim_domains(s, &o, &err) < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

/* The server's name without its first label, as the server itself takes it. */
static struct str own_domain(struct setup *s)
{
	struct str name = str_from(getenv("OVERRIDE_HOSTNAME")), host, domain;
	char text[HOST_NAME_MAX_] = "";

	if (!name.n && gethostname(text, sizeof(text) - 1) == 0)
		name = arena_str(&s->arena, str_from(text));
	str_cut(name, '.', &host, &domain);
	return str_find_byte(domain, '.') >= 0 ? domain : name;
}

static void tell_options(struct setup *s, const struct dkim_options *o)
{
	if (!o->verbose)
		return;
	message(s, MESSAGE_INFO, "Domain set to '%" STR_FMT "'", STR_ARG(o->domains));
	message(s, MESSAGE_INFO, "Keytype set to '%s'",
		o->algorithm == DKIM_ED25519_SHA256 ? "ed25519" : "rsa");
	message(s, MESSAGE_INFO, "Selector set to '%" STR_FMT "'", STR_ARG(o->selector));
	message(s, MESSAGE_INFO, "Keysize set to '%u'", o->bits);
}

enum setup_exit cmd_dkim_rspamd(struct setup *s)
{
	struct dkim_options o;
	struct err err;

	enum setup_exit e = read_options(s, &o);
	if (e != SETUP_OK)
		return e;
	if (!o.domains.n)
		o.domains = own_domain(s);
	if (!is_domain_name(o.domains))
		return message_fail(s, "'%" STR_FMT "' is not a domain", STR_ARG(o.domains));
	tell_options(s, &o);
	auto_close int lock = setup_lock(s, &err);
	if (lock < 0)
		return message_fail(s, "%s", err.text);
	int r = dkim_files_rspamd(s, &o, o.domains, &err);
	if (r == -EEXIST)
		return message_fail(s, "Not overwriting existing files (use '--force' to overwrite "
				       "existing files)");
	if (r < 0)
		return message_fail(s, "%s", err.text);
	message(s, MESSAGE_INFO, "Finished DKIM key creation");
	return SETUP_OK;
}

enum setup_exit cmd_dkim(struct setup *s)
{
	bool rspamd = is_on("ENABLE_RSPAMD", false), opendkim = is_on("ENABLE_OPENDKIM", true);

	if (rspamd && !opendkim)
		return cmd_dkim_rspamd(s);
	if (rspamd)
		message(s, MESSAGE_WARN,
			"Conflicting DKIM support, both Rspamd and OpenDKIM are "
			"enabled - OpenDKIM will manage DKIM keys");
	return run_opendkim(s);
}
