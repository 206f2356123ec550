#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "setup/dkim_files.h"
#include "setup/dkim_options.h"
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

static enum setup_exit read_options(struct setup *s, struct dkim_options *o)
{
	*o = (struct dkim_options){ .bits = 2048, .selector = STR("mail") };
	return dkim_options_read(s, 0, o);
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
		r = dkim_is_domain(domain) ? dkim_files_opendkim(s, o, str_of(lower, domain.n), err)
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
	if (!dkim_is_domain(o.domains))
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
	if (str_eq(setup_arg(s, 0), STR("rotate")))
		return cmd_dkim_rotate(s);
	bool rspamd = is_on("ENABLE_RSPAMD", false), opendkim = is_on("ENABLE_OPENDKIM", true);

	if (rspamd && !opendkim)
		return cmd_dkim_rspamd(s);
	if (rspamd)
		message(s, MESSAGE_WARN,
			"Conflicting DKIM support, both Rspamd and OpenDKIM are "
			"enabled - OpenDKIM will manage DKIM keys");
	return run_opendkim(s);
}
