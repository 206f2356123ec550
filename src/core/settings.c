#include "core/settings.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/endpoint.h"
#include "core/networks.h"
#include "core/setting_value.h"

enum {
	SECRET_FILE_MAX = 64 * 1024,
	REPORT_MAX = 512,
	HOST_NAME_BUF = 256,
};

enum bad_word {
	WARNED,
	FATAL
};

#define SETTING_ENUM(tag)	     static const char *const words_##tag[] = {
#define SETTING_WORD(constant, word) word,
#define SETTING_ENUM_END                                                                           \
	NULL                                                                                       \
	}                                                                                          \
	;
#include "core/settings.def"

struct setting {
	const char *name;
	const char *def;
	const char *min, *max;
	const char *const *words; /* CHOICE */
	size_t offset;		  /* of the field in struct settings */
	enum setting_type type;
	enum bad_word bad;
};

static const struct setting table[SETTING_COUNT] = {
#define SETTING_GROUP(title)
#define SETTING(t, field, n, d, lo, hi, doc)                                                       \
	{ .name = n,                                                                               \
	  .def = d,                                                                                \
	  .min = lo,                                                                               \
	  .max = hi,                                                                               \
	  .offset = offsetof(struct settings, field),                                              \
	  .type = SETTING_##t },
#define SETTING_CHOICE(field, n, d, tag, b, doc)                                                   \
	{ .name = n,                                                                               \
	  .def = d,                                                                                \
	  .words = words_##tag,                                                                    \
	  .offset = offsetof(struct settings, field),                                              \
	  .type = SETTING_CHOICE,                                                                  \
	  .bad = b },
#include "core/settings.def"
};

struct load {
	const char *const *env;
	const struct settings_reporter *reporter;
	struct arena *arena;
	struct settings *out;
	struct err *err;
	int result; /* 0, or the first error */
	bool is_set[SETTING_COUNT];
};

PRINTF_LIKE(3, 4)
static void report(struct load *l, enum settings_severity severity, const char *fmt, ...)
{
	char text[REPORT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	if (l->reporter)
		l->reporter->report(l->reporter->ctx, severity, text);
	if (severity == SETTINGS_ERROR && l->result == 0)
		l->result = err_set(l->err, -EINVAL, "%s", text);
}

/* The value of NAME<suffix>; STR_NONE when it is not in the environment. */
static struct str env_find(const char *const *env, const char *name, const char *suffix)
{
	struct str n = str_from(name), s = str_from(suffix);

	for (; *env; env++) {
		struct str e = str_from(*env);
		if (str_starts(e, n) && str_starts(str_skip(e, n.n), s) && e.n > n.n + s.n &&
		    e.p[n.n + s.n] == '=')
			return str_skip(e, n.n + s.n + 1);
	}
	return STR_NONE;
}

static struct str read_secret(struct load *l, const struct setting *d, struct str path)
{
	const char *name = arena_cstr(l->arena, path);
	struct stat st;
	if (stat(name, &st) < 0 || !S_ISREG(st.st_mode)) {
		report(l, SETTINGS_WARN,
		       "File defined for secret '%s' with path '%s' does not exist", d->name, name);
		return STR_NONE;
	}

	struct err err;
	struct str value;
	if (fd_read_file(name, l->arena, SECRET_FILE_MAX, &value, &err) < 0) {
		report(l, SETTINGS_WARN, "File defined for secret '%s' is not readable: %s",
		       d->name, err.text);
		return STR_NONE;
	}
	report(l, SETTINGS_INFO, "Getting secret '%s' from '%s'", d->name, name);
	while (value.n > 0 && value.p[value.n - 1] == '\n')
		value.n--;
	return value;
}

/* What the operator wrote for a setting; empty for nothing. */
static struct str find_value(struct load *l, const struct setting *d)
{
	struct str value = env_find(l->env, d->name, "");
	struct str file = env_find(l->env, d->name, "__FILE");

	if (file.n == 0)
		return value;
	if (value.n == 0)
		return read_secret(l, d, file);
	report(l, SETTINGS_WARN,
	       "ENV value will not be sourced from '%s__FILE' since '%s' is already set", d->name,
	       d->name);
	return value;
}

static void *field_of(struct settings *s, const struct setting *d)
{
	return (char *)s + d->offset;
}

/* Numbers are checked against the table's bounds, which are written in the same notation. */
static int parse_number(const struct setting *d, struct str text, int64_t *out)
{
	int64_t min, max, value;
	int bounds = setting_number_parse(d->type, str_from(d->min), &min);
	if (bounds == 0)
		bounds = setting_number_parse(d->type, str_from(d->max), &max);
	check(bounds == 0);

	int r = setting_number_parse(d->type, text, &value);
	if (r < 0)
		return r;
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

static bool has_control(struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return true;
	}
	return false;
}

/* Put a value into its field: 0, -EINVAL or -ERANGE with the field untouched. */
static int set_field(struct load *l, const struct setting *d, struct str text)
{
	void *field = field_of(l->out, d);
	int word;

	switch (d->type) {
	case SETTING_SWITCH:
		*(bool *)field = setting_switch_parse(text);
		return 0;
	case SETTING_INTEGER:
	case SETTING_SIZE:
	case SETTING_TIME:
		return parse_number(d, text, field);
	case SETTING_CHOICE:
		word = setting_word_find(d->words, text);
		if (word < 0)
			return -EINVAL;
		*(unsigned *)field = (unsigned)word;
		return 0;
	case SETTING_TEXT:
	case SETTING_PATH:
		if (has_control(text))
			return -EINVAL;
		*(struct str *)field = text;
		return 0;
	}
	return -EINVAL;
}

static void warn_unclear_switch(struct load *l, const struct setting *d, struct str text)
{
	int64_t value;
	if (setting_number_parse(SETTING_SWITCH, text, &value) < 0)
		report(l, SETTINGS_WARN, "%s='%" STR_FMT "' means off: only 1 switches on", d->name,
		       STR_ARG(text));
	else if (value > 1)
		report(l, SETTINGS_WARN, "%s=%" STR_FMT " means off: only 1 switches on", d->name,
		       STR_ARG(text));
}

static void report_bad(struct load *l, const struct setting *d, struct str text, int why)
{
	if (d->type == SETTING_CHOICE && d->bad == FATAL) {
		report(l, SETTINGS_ERROR, "Invalid value for %s!", d->name);
		return;
	}
	if (why == -ERANGE)
		report(l, SETTINGS_WARN,
		       "%s='%" STR_FMT "' is not between %s and %s: using the default '%s'",
		       d->name, STR_ARG(text), d->min, d->max, d->def);
	else if (d->type == SETTING_TEXT || d->type == SETTING_PATH)
		report(l, SETTINGS_WARN, "%s contains control characters: using the default '%s'",
		       d->name, d->def);
	else
		report(l, SETTINGS_WARN,
		       "%s='%" STR_FMT "' is not understood: using the default '%s'", d->name,
		       STR_ARG(text), d->def);
}

static void set_default(struct load *l, enum setting_id id)
{
	const struct setting *d = &table[id];
	struct str def = d->def[0] == '=' ? STR("") : str_from(d->def);

	l->out->text[id] = def;
	if (d->def[0] == '=') /* settings_derive fills it in */
		return;
	check(set_field(l, d, def) == 0);
}

static void load_one(struct load *l, enum setting_id id)
{
	const struct setting *d = &table[id];

	set_default(l, id);
	struct str value = find_value(l, d);
	if (value.n == 0)
		return;

	value = arena_str(l->arena, value);
	int r = set_field(l, d, value);
	if (r < 0) {
		report_bad(l, d, value, r);
		return;
	}
	if (d->type == SETTING_SWITCH)
		warn_unclear_switch(l, d, value);
	l->out->text[id] = value;
	l->is_set[id] = true;
}

/* Give a setting that was not set the value computed for it. */
static void derive(struct load *l, enum setting_id id, struct str text)
{
	if (l->is_set[id])
		return;
	l->out->text[id] = text;
	check(set_field(l, &table[id], text) == 0);
}

/* Is it NAME.NAME, with nothing that could break a banner or a header? */
static bool is_host_name(struct str s)
{
	ssize_t dot = str_find_byte(s, '.');
	if (dot <= 0 || (size_t)dot + 1 == s.n || s.n > 253)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '-' && s.p[i] != '_')
			return false;
	}
	return true;
}

/* What `hostname -f` prints: the kernel's name, or the canonical one that the resolver knows. */
static struct str canonical_name(struct arena *a, struct str kernel)
{
	if (str_find_byte(kernel, '.') >= 0)
		return kernel;

	struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	if (getaddrinfo(arena_cstr(a, kernel), NULL, &hints, &found) != 0)
		return kernel;
	struct str name =
		found->ai_canonname ? arena_str(a, str_from(found->ai_canonname)) : kernel;
	freeaddrinfo(found);
	return name;
}

/* Everything behind the first dot, but a name of two labels is a domain itself. */
static struct str domain_of(struct str fqdn)
{
	struct str host, domain;
	str_cut(fqdn, '.', &host, &domain);
	return str_find_byte(domain, '.') >= 0 ? domain : fqdn;
}

static void derive_names(struct load *l)
{
	struct settings *s = l->out;
	char buf[HOST_NAME_BUF] = "";
	if (gethostname(buf, sizeof(buf) - 1) < 0 || buf[0] == '\0')
		snprintf(buf, sizeof(buf), "localhost");
	struct str kernel = arena_str(l->arena, str_from(buf)), rest;

	str_cut(kernel, '.', &s->host, &rest);
	s->host = arena_str(l->arena, s->host);
	s->fqdn = s->override_hostname.n > 0 ? s->override_hostname
					     : canonical_name(l->arena, kernel);
	if (!is_host_name(s->fqdn)) {
		report(l, SETTINGS_ERROR,
		       "Setting hostname/domainname is required: "
		       "OVERRIDE_HOSTNAME, or a host name with a dot in it");
		s->fqdn = STR("localhost.localdomain");
	}
	s->domain = domain_of(s->fqdn);
}

static void derive_paths(struct load *l)
{
	struct settings *s = l->out;

	while (s->root.n > 0 && s->root.p[s->root.n - 1] == '/')
		s->root.n--;
	if (s->root.n > 0 && s->root.p[0] != '/') {
		auto_free char *cwd = getcwd(NULL, 0);
		s->root = arena_printf(l->arena, "%s/%" STR_FMT, cwd ? cwd : "", STR_ARG(s->root));
	}
	s->root = arena_str(l->arena, s->root);
	s->text[SETTING_ID_root] = s->root;

	s->config_dir = settings_path(s, l->arena, "/tmp/docker-mailserver");
	s->mail_dir = settings_path(s, l->arena, "/var/mail");
	s->state_dir = settings_path(s, l->arena, "/var/mail-state/lib-posthorn");
	s->log_dir = settings_path(s, l->arena, "/var/log/mail");
	s->local_socket = settings_path(s, l->arena, "/var/mail-state/lib-posthorn/smtp");
}

static bool check_networks(struct load *l, const char *name, struct str networks)
{
	struct str wrong;

	if (networks_are_valid(networks, &wrong))
		return true;
	report(l, SETTINGS_ERROR, "%s: '%" STR_FMT "' is not a network such as 10.0.0.0/8", name,
	       STR_ARG(wrong));
	return false;
}

static void check_proxies(struct load *l)
{
	const struct settings *s = l->out;

	(void)check_networks(l, "POSTHORN_TRUSTED_NETWORKS", s->trusted_networks);
	(void)check_networks(l, "POSTHORN_OWN_ADDRESSES", s->own_addresses);
	if (!check_networks(l, "POSTHORN_PROXY_TRUSTED_NETWORKS", s->proxy_trusted))
		return;
	if (s->proxy_protocol && s->proxy_trusted.n == 0)
		report(l, SETTINGS_ERROR,
		       "POSTHORN_PROXY_PROTOCOL=1 needs POSTHORN_PROXY_TRUSTED_NETWORKS: whoever "
		       "may connect there can pretend to be any client");
}

static void check_dns(struct load *l)
{
	struct str list = l->out->dns, word;
	struct endpoint e;
	int r;

	if (str_eq(list, STR("system")))
		return;
	while ((r = endpoint_next(&list, 53, &e, &word)) != 0) {
		if (r < 0)
			report(l, SETTINGS_ERROR,
			       "POSTHORN_DNS: '%" STR_FMT "' is not an address such as 192.0.2.53 "
			       "or [2001:db8::53]:5353",
			       STR_ARG(word));
	}
}

/* Nobody is to think that their mail is filtered. */
static void warn_idle_filters(struct load *l)
{
	if (l->out->enable_rspamd)
		report(l, SETTINGS_WARN,
		       "ENABLE_RSPAMD: rspamd runs, but mail is not passed to it");
	if (l->out->enable_clamav)
		report(l, SETTINGS_WARN, "ENABLE_CLAMAV: clamd runs, but mail is not passed to it");
}

static void derive_rest(struct load *l)
{
	struct settings *s = l->out;

	derive(l, SETTING_ID_postmaster_address,
	       arena_printf(l->arena, "postmaster@%" STR_FMT, STR_ARG(s->domain)));
	derive(l, SETTING_ID_enable_quotas, s->smtp_only ? STR("0") : STR("1"));
	derive(l, SETTING_ID_enable_rspamd_redis, s->enable_rspamd ? STR("1") : STR("0"));
	derive(l, SETTING_ID_imap_append_max, s->text[SETTING_ID_message_size_limit]);
	derive(l, SETTING_ID_helo_name, s->fqdn);

	check_proxies(l);
	check_dns(l);
	warn_idle_filters(l);
	if (s->mailbox_format != SETTING_MAILBOX_FORMAT_MAILDIR)
		report(l, SETTINGS_ERROR,
		       "DOVECOT_MAILBOX_FORMAT='%s' is not supported: convert the mail to maildir",
		       words_mailbox_format[s->mailbox_format]);
	if (s->ssl_type == SETTING_SSL_TYPE_MANUAL &&
	    (s->ssl_cert_path.n == 0 || s->ssl_key_path.n == 0))
		report(l, SETTINGS_ERROR, "Environment Variable: %s is not set!",
		       s->ssl_cert_path.n == 0 ? "SSL_CERT_PATH" : "SSL_KEY_PATH");
	if (s->ssl_type == SETTING_SSL_TYPE_NONE)
		report(l, SETTINGS_WARN,
		       "SSL_TYPE is empty: serving with a self-signed certificate, which no client "
		       "can verify");
}

static void check_time_zone(struct load *l)
{
	struct str tz = l->out->tz;
	/* A POSIX rule such as CET-1CEST names no file. */
	for (size_t i = 0; i < tz.n; i++) {
		if (ascii_is_digit(tz.p[i]))
			return;
	}
	if (tz.n == 0)
		return;
	struct str file = arena_printf(l->arena, "/usr/share/zoneinfo/%" STR_FMT, STR_ARG(tz));
	if (access(file.p, R_OK) < 0)
		report(l, SETTINGS_WARN, "TZ='%" STR_FMT "' is not a known time zone: using UTC",
		       STR_ARG(tz));
}

/* Nobody is to rely on what docker-mailserver did and we do not. */
static void warn_foreign(struct load *l)
{
	static const struct {
		struct str name, harmless;
	} foreign[] = {
#define SETTING_GROUP(title)
#define SETTING(type, field, name, def, min, max, doc)
#define SETTING_CHOICE(field, name, def, tag, bad, doc)
#define SETTING_FOREIGN(name, harmless) { STR_INIT(name), STR_INIT(harmless) },
#include "core/settings.def"
	};

	for (const char *const *e = l->env; *e; e++) {
		struct str name, value;
		str_cut(str_from(*e), '=', &name, &value);
		for (size_t i = 0; i < ARRAY_LEN(foreign) && value.n; i++)
			if (str_eq(foreign[i].name, name) && !str_eq(foreign[i].harmless, value))
				report(l, SETTINGS_WARN,
				       "%" STR_FMT " is set, but has no effect here",
				       STR_ARG(name));
	}
}

/* A mistyped limit must not go unnoticed. */
static void warn_unknown(struct load *l)
{
	for (const char *const *e = l->env; *e; e++) {
		struct str name, value;
		bool known = false;
		if (!str_cut(str_from(*e), '=', &name, &value) ||
		    !str_starts(name, STR("POSTHORN_")))
			continue;
		if (str_ends(name, STR("__FILE")))
			name.n -= strlen("__FILE");
		for (size_t i = 0; i < SETTING_COUNT && !known; i++)
			known = str_eq(str_from(table[i].name), name);
		if (!known)
			report(l, SETTINGS_WARN, "%" STR_FMT " is not a setting", STR_ARG(name));
	}
}

int settings_load(const char *const *env, const struct settings_reporter *r, struct arena *a,
		  struct settings *out, struct err *err)
{
	struct load l = { .env = env, .reporter = r, .arena = a, .out = out, .err = err };

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < SETTING_COUNT; i++)
		load_one(&l, i);
	derive_names(&l);
	derive_paths(&l);
	derive_rest(&l);
	check_time_zone(&l);
	warn_unknown(&l);
	warn_foreign(&l);
	return l.result;
}

static const struct settings *in_use;

void settings_use(const struct settings *s)
{
	in_use = s;
}

const struct settings *settings_get(void)
{
	check(in_use);
	return in_use;
}

const char *settings_name(enum setting_id id)
{
	check(id < SETTING_COUNT);
	return table[id].name;
}

const char *const *settings_export(const struct settings *s, struct arena *a)
{
	const char **env = ARENA_NEW_ARRAY(a, const char *, SETTING_COUNT + 1);

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		struct str text = i == SETTING_ID_override_hostname ? s->fqdn : s->text[i];
		env[i] = arena_printf(a, "%s=%" STR_FMT, table[i].name, STR_ARG(text)).p;
	}
	return env;
}

struct str settings_path(const struct settings *s, struct arena *a, const char *path)
{
	struct str p = str_from(path);
	bool inside = str_starts(p, s->root) && (p.n == s->root.n || p.p[s->root.n] == '/');
	if (s->root.n == 0 || p.n == 0 || p.p[0] != '/' || inside)
		return arena_str(a, p);
	return arena_printf(a, "%" STR_FMT "%s", STR_ARG(s->root), path);
}
