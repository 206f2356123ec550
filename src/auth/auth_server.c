#include "auth/auth_server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/address.h"
#include "auth/auth.h"
#include "auth/auth_server_private.h"
#include "auth/file_lines.h"
#include "auth/resolve.h"
#include "auth/srs_keys.h"
#include "base/err.h"
#include "base/list.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/settings.h"
#include "core/work.h"
#include "dns/idna.h"

/* Of broken lines, as many are logged; a file of the wrong format would fill the log. */
#define REPORTS_MAX 100

#define QUOTA_DECIMAL_MB 1000000
#define QUOTA_MIB	 1048576

struct auth_server *auth_server;

/* In brackets: a relay host is a host, not a domain with MX records. */
static struct str relay_host(const struct settings *s)
{
	static char text[320];

	if (s->relay_host.n == 0)
		return STR_NONE;
	snprintf(text, sizeof(text), "[%" STR_FMT "]:%" PRId64, STR_ARG(s->relay_host),
		 s->relay_port);
	return str_from(text);
}

static int set_srs(const struct settings *s, struct arena *a, struct srs *out, struct err *err)
{
	struct str path = settings_path(s, a, "/var/mail-state/etc/postsrsd.secret");
	struct str keys = s->srs_secret;
	bool own = keys.n > 0;

	*out = (struct srs){ .domain = s->srs_domain.n ? s->srs_domain : s->domain,
			     .exclude = s->srs_exclude };
	int r = own ? 0 : srs_keys_load(path.p, a, &keys, err);
	if (r == 0)
		r = srs_set_secrets(out, keys, err);
	return r < 0 ? err_prefix(err, "%s: ", own ? "SRS_SECRET" : path.p) : 0;
}

int auth_server_config_from_settings(struct arena *a, struct auth_server_config *out,
				     struct err *err)
{
	const struct settings *s = settings_get();

	*out = (struct auth_server_config){ .failure_delay = s->auth_delay,
					    .recipients_per_hour = s->user_recipients };
	out->directory = (struct directory_config){
		.dir = s->config_dir.p,
		.fqdn = s->fqdn,
		.domain = s->domain,
		.postmaster = s->postmaster_address,
		.delimiter = '+',
		.quotas = s->enable_quotas,
		.relay_host = relay_host(s),
		.default_relay = s->default_relay_host,
		.relay_user = s->relay_password.n ? s->relay_user : STR_NONE,
		.relay_password = s->relay_password,
		/* docker-mailserver turns the bytes into MiB by dividing by a million. */
		.default_quota = (uint64_t)s->mailbox_size_limit / QUOTA_DECIMAL_MB * QUOTA_MIB,
	};
	return s->enable_srs ? set_srs(s, a, &out->srs, err) : 0;
}

/* One line that could not be used, noted in a worker thread, which may not log. */
struct report {
	struct list link;
	struct str file, text;
	unsigned number;
};

struct load_job {
	const struct directory_config *config;
	const struct directory *previous;
	struct directory *next;
	struct arena arena;
	struct list reports;
	unsigned count;
};

static void note_report(void *ctx, const char *file, unsigned number, const char *text)
{
	struct load_job *job = ctx;
	if (job->count++ >= REPORTS_MAX)
		return;
	struct report *r = ARENA_NEW(&job->arena, struct report);
	r->file = arena_str(&job->arena, str_from(file));
	r->text = arena_str(&job->arena, str_from(text));
	r->number = number;
	list_append(&job->reports, &r->link);
}

static void load_job_init(struct load_job *job)
{
	*job = (struct load_job){ .config = &auth_server->config.directory,
				  .previous = auth_server->directory };
	list_init(&job->reports);
}

static int load(void *arg)
{
	struct load_job *job = arg;
	struct file_report report = { .line = note_report, .ctx = job };
	job->next = directory_load(job->config, job->previous, &report);
	return 0;
}

static void log_reports(const struct load_job *job)
{
	LIST_FOREACH (it, &job->reports) {
		const struct report *r = LIST_ITEM(it, struct report, link);
		if (r->number)
			log_event(LOG_CONFIG_LINE, LOG_STR("file", r->file),
				  LOG_INT("line", r->number), LOG_STR("reason", r->text));
		else
			log_event(LOG_CONFIG_LINE, LOG_STR("file", r->file),
				  LOG_STR("reason", r->text));
	}
	if (job->count > REPORTS_MAX)
		log_event(LOG_CONFIG_LINE, LOG_CSTR("file", "account files"),
			  LOG_CSTR("reason", "more lines cannot be used than are listed here"));
}

/* The new state takes the place of the old one, here and only here. */
static void take_directory(struct load_job *job)
{
	directory_free(auth_server->directory);
	auth_server->directory = job->next;
	auth_server->generation++;
	login_cache_clear(&auth_server->cache);
	log_reports(job);
	log_event(LOG_ACCOUNTS_LOADED,
		  LOG_INT("accounts", (int64_t)job->next->accounts->by_login.count),
		  LOG_INT("aliases", (int64_t)job->next->virtual->by_key.count),
		  LOG_INT("domains", (int64_t)job->next->managed.count));
	if (job->next->managed.count == 0)
		log_event(LOG_ACCOUNTS_MISSING);
	arena_done(&job->arena);
}

void auth_server_open(const struct auth_server_config *config)
{
	struct load_job job;

	auth_server = calloc(1, sizeof(*auth_server));
	if (!auth_server)
		check_no_memory();
	auth_server->config = *config;
	waitq_init(&auth_server->reloaded);
	login_throttle_init(&auth_server->throttle);
	sending_rate_init(&auth_server->sending, config->recipients_per_hour);
	login_cache_init(&auth_server->cache);
	load_job_init(&job);
	load(&job);
	take_directory(&job);
}

void auth_server_close(void)
{
	directory_free(auth_server->directory);
	sending_rate_done(&auth_server->sending);
	free(auth_server);
	auth_server = NULL;
}

static int may_suspend wait_for_reload(void)
{
	auth_server->reload_again = true;
	while (auth_server->reloading) {
		int r = waitq_wait(&auth_server->reloaded, "reload", LOOP_FOREVER);
		if (r < 0)
			return r;
	}
	return 0;
}

int auth_server_reload(void)
{
	int r = 0;
	if (auth_server->reloading)
		return wait_for_reload();

	auth_server->reloading = true;
	do {
		struct load_job job;
		auth_server->reload_again = false;
		load_job_init(&job);
		r = work_run(load, &job);
		if (job.next)
			take_directory(&job);
	} while (r == 0 && auth_server->reload_again);
	auth_server->reloading = false;
	waitq_wake_all(&auth_server->reloaded);
	return r;
}

static void put_target(struct auth_target *to, const struct resolve_target *from)
{
	const struct directory *d = auth_server->directory;
	const struct account *acc =
		from->kind == AUTH_TARGET_MAILBOX ? directory_find_account(d, from->user) : NULL;

	*to = (struct auth_target){ .address = from->address,
				    .account = from->user,
				    .kind = (uint8_t)from->kind,
				    .quota = acc ? directory_quota(d, acc) : 0 };
}

/* Those that do not exist go apart: nobody may hand them to the queue by mistake. */
static void put_targets(const struct resolution *r, struct arena *a, struct auth_resolve_out *out)
{
	out->targets = ARENA_NEW_ARRAY(a, struct auth_target, r->count);
	out->missing = ARENA_NEW_ARRAY(a, struct auth_target, r->count);
	for (size_t i = 0; i < r->count; i++) {
		if (r->targets[i].kind == AUTH_TARGET_UNKNOWN)
			put_target(&out->missing[out->missing_count++], &r->targets[i]);
		else
			put_target(&out->targets[out->targets_count++], &r->targets[i]);
	}
}

/* Refusing mail for good takes more than not having heard of its recipient yet. */
static int check_found(enum auth_verdict verdict, struct err *err)
{
	const struct directory *d = auth_server->directory;

	if (verdict != AUTH_UNKNOWN_USER && verdict != AUTH_NOT_OURS)
		return 0;
	if (d->incomplete)
		return err_set(err, -EAGAIN, "the account files could not be read");
	if (d->managed.count == 0)
		return err_set(err, -EAGAIN, "there is no account yet");
	return 0;
}

static bool owns_any_script(struct str login, struct str sender, struct arena *a)
{
	const struct directory *d = auth_server->directory;
	struct str other;

	return directory_owns(d, login, sender) ||
	       (idna_address_other(sender, a, &other) == 0 && directory_owns(d, login, other));
}

static void judge_sender(const struct auth_resolve_in *in, struct arena *a,
			 struct auth_resolve_out *out)
{
	const struct directory *d = auth_server->directory;
	const struct access_rule *rule = directory_check_sender(d, in->sender);
	ssize_t at = str_rfind_byte(in->sender, '@');
	struct str domain = str_skip(in->sender, (size_t)(at + 1));

	out->sender_ours =
		at < 0 || directory_is_managed(d, domain) || directory_is_local(d, domain);
	out->sender_denied = rule && rule->action == ACCESS_REJECT;
	if (out->sender_denied) {
		out->sender_code = rule->code;
		out->sender_text = arena_str(a, rule->text);
	}
	out->sender_owned = in->login.n && owns_any_script(in->login, in->sender, a);
}

/* RFC 5890 2.3.2.1: a domain in UTF-8 and its ASCII form are the same, and the files know one. */
static enum auth_verdict resolve_any_script(struct str address, struct arena *a,
					    struct resolution *out, struct err *err)
{
	const struct directory *d = auth_server->directory;
	struct resolution found;
	struct str other;

	enum auth_verdict verdict = directory_resolve(d, address, a, out, err);
	if (verdict != AUTH_NOT_OURS || idna_address_other(address, a, &other) < 0)
		return verdict;
	enum auth_verdict second = directory_resolve(d, other, a, &found, err);
	if (second == AUTH_NOT_OURS)
		return verdict;
	*out = found;
	return second;
}

/* Only who got a rewritten address from us can have it: what it leads to is as good as an alias. */
static enum auth_verdict resolve_any(struct str address, struct arena *a, struct resolution *out,
				     struct err *err)
{
	struct str original;
	int r = srs_reverse(&auth_server->config.srs, address, time(NULL), a, &original);

	if (r < 0 && r != -ENOENT)
		log_event(LOG_SRS_REFUSED, LOG_STR("address", address),
			  LOG_CSTR("reason", r == -ETIME ? "too old" : "not made here"));
	enum auth_verdict verdict = resolve_any_script(r == 0 ? original : address, a, out, err);
	return r == 0 && verdict == AUTH_NOT_OURS ? AUTH_OK : verdict;
}

/* Seconds until the login may have one more recipient; 0: it has one now. */
static uint32_t pause_of(struct str login)
{
	int64_t ms = login.n ? sending_rate_take(&auth_server->sending, login, loop_now()) : 0;

	return (uint32_t)((ms + 999) / 1000);
}

static int resolve(void *ctx, struct auth_resolve_in *in, struct arena *a,
		   struct auth_resolve_out *out, struct err *err)
{
	struct resolution r;
	(void)ctx;

	out->verdict = (uint8_t)resolve_any(in->address, a, &r, err);
	int found = check_found(out->verdict, err);
	if (found < 0)
		return found;
	judge_sender(in, a, out);
	out->code = r.code;
	out->text = arena_str(a, r.text);
	if (out->verdict == AUTH_ALIAS_ERROR)
		log_event(LOG_ALIAS_ERROR, LOG_STR("address", in->address), LOG_REASON(err));
	if (out->verdict != AUTH_OK && out->verdict != AUTH_NOT_OURS)
		return 0;

	put_targets(&r, a, out);
	out->sender_pause = pause_of(in->login);
	for (size_t i = 0; i < out->missing_count; i++)
		log_event(LOG_ALIAS_TARGET_UNKNOWN, LOG_STR("address", in->address),
			  LOG_STR("target", out->missing[i].address));
	return 0;
}

static int owns(void *ctx, struct auth_owns_in *in, struct arena *a, struct auth_owns_out *out,
		struct err *err)
{
	const struct directory *d = auth_server->directory;
	(void)ctx;

	for (size_t i = 0; i < in->authors_count && !out->stranger.n; i++)
		if (!owns_any_script(in->login, in->authors[i].address, a))
			out->stranger = arena_str(a, in->authors[i].address);
	return out->stranger.n && d->incomplete
		       ? err_set(err, -EAGAIN, "the account files could not be read")
		       : 0;
}

static int account(void *ctx, struct auth_account_in *in, struct arena *a,
		   struct auth_account_out *out, struct err *err)
{
	const struct directory *d = auth_server->directory;
	const struct account *acc = directory_find_account(d, in->account);
	(void)ctx, (void)a, (void)err;

	out->exists = acc != NULL;
	out->quota = acc ? directory_quota(d, acc) : 0;
	return 0;
}

/* Mail of our own domains needs no other sender to be forwarded. */
static struct str forwarder(struct str sender, struct arena *a)
{
	const struct srs *srs = &auth_server->config.srs;
	struct str domain = address_split(sender).domain, out;

	if (!srs_applies(srs, sender) || directory_is_managed(auth_server->directory, domain) ||
	    directory_is_local(auth_server->directory, domain))
		return STR_NONE;
	if (srs_forward(srs, sender, time(NULL), a, &out) == 0)
		return out;
	log_event(LOG_SRS_REFUSED, LOG_STR("address", sender), LOG_CSTR("reason", "too long"));
	return STR_NONE;
}

static int relay(void *ctx, struct auth_relay_in *in, struct arena *a, struct auth_relay_out *out,
		 struct err *err)
{
	const struct directory *d = auth_server->directory;
	(void)ctx, (void)err;

	out->none = d->relays->by_sender.count == 0 && d->relay_host.n == 0 &&
		    auth_server->config.srs.domain.n == 0;
	out->forwarder = forwarder(in->sender, a);
	out->nexthop = arena_str(a, directory_relay(d, in->sender));
	return 0;
}

static int relay_login(void *ctx, struct auth_relay_login_in *in, struct arena *a,
		       struct auth_relay_login_out *out, struct err *err)
{
	const struct directory *d = auth_server->directory;
	struct str user, password;
	(void)ctx, (void)err;

	out->none = d->relay_logins->by_key.count == 0 && d->relay_user.n == 0;
	if (!directory_relay_login(d, in->sender, in->nexthop, &user, &password))
		return 0;
	out->user = arena_str(a, user);
	out->password = arena_str(a, password);
	return 0;
}

static int status(void *ctx, struct auth_status_in *in, struct arena *a,
		  struct auth_status_out *out, struct err *err)
{
	(void)ctx, (void)in, (void)a, (void)err;
	out->accounts = auth_server->directory->accounts->by_login.count;
	out->aliases = auth_server->directory->virtual->by_key.count;
	return 0;
}

const struct auth_ops auth_server_ops = {
	.resolve = resolve,
	.owns = owns,
	.login = auth_server_login,
	.account = account,
	.relay = relay,
	.relay_login = relay_login,
	.status = status,
};
