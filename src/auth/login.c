/* One login: who is meant, the throttle, the password, and an answer that takes the same time
 * whatever was wrong. */
#include <errno.h>

#include <openssl/crypto.h>

#include "auth/address.h"
#include "core/metrics.h"
#include "core/networks.h"
#include "auth/auth_server_private.h"
#include "auth/password.h"
#include "base/err.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/work.h"

#define LOGINS_MAX 1000

/* Nobody has this password. Checked in the place of one that does not exist, at the usual cost. */
#define NOBODYS_PASSWORD                                                                           \
	"{SHA512-CRYPT}$6$nobodynobodynobo$"                                                       \
	"fF0tqSKkTMPYO1wO0s7xUM2fR4n2VyCzXHl3RpsVq3bAqQ0bTq1GZhtNQ0GmnrfKuVvC4kCkJmZ3Yw0c9zT7x1"

/* Whose mailbox, and whose password opens it. */
struct login_names {
	struct str account;
	struct str user; /* of the password: the account's, or a master's */
	bool master;
};

/* What the account files say about them, copied: they may change during any wait. */
struct login_subject {
	struct login_names names;
	struct str stored;
	const char *refused; /* a reason that is not the password */
	bool known;
};

struct verify_job {
	struct str stored;
	struct str password;
	struct err err;
};

static int verify(void *arg)
{
	struct verify_job *job = arg;
	return password_verify(job->stored, job->password, &job->err);
}

/* "target*master", or a master that acts for somebody (SASL's authorization identity). */
static void parse_names(const struct auth_login_in *in, struct arena *a, struct login_names *out)
{
	struct str user = address_fold(a, in->user), authzid = address_fold(a, in->authzid);

	*out = (struct login_names){ .account = user, .user = user };
	if (str_find_byte(user, '*') >= 0) {
		str_cut(user, '*', &out->account, &out->user);
		out->master = true;
	} else if (authzid.n && !str_eq(authzid, user)) {
		out->account = authzid;
		out->master = true;
	}
}

/* Fields of the third column that restrict logins. */
static const char *restriction(const struct account *acc, struct str client)
{
	struct str value;
	if (account_extra_get(acc, STR("nologin"), &value))
		return "logins are disabled for the account (nologin)";
	if (account_extra_get(acc, STR("allow_nets"), &value) && !networks_hold(value, client))
		return "the client's address is not within allow_nets";
	return NULL;
}

static void look_up(const struct auth_login_in *in, struct arena *a, struct login_subject *out)
{
	const struct directory *d = auth_server->directory;
	*out = (struct login_subject){ .stored = STR(NOBODYS_PASSWORD) };
	parse_names(in, a, &out->names);

	const struct account *acc = directory_find_account(d, out->names.account);
	const struct account *proof =
		out->names.master ? directory_find_master(d, out->names.user) : acc;
	/* Unknown users cost what known ones do: most accounts of a server share one scheme. */
	if (d->accounts->first && d->accounts->first->hash.n)
		out->stored = arena_str(a, d->accounts->first->hash);
	if (!acc || !proof)
		return;
	out->known = true;
	out->stored = arena_str(a, proof->hash);
	out->refused = restriction(acc, in->client_address);
}

/* 0 right, -EACCES wrong, -ENOMEM: not known. An operator hears of values nobody can log in
 * with. */
static int may_suspend check_password(const struct login_subject *s, struct str password)
{
	struct verify_job job = { .stored = s->stored, .password = password };
	int64_t before = loop_now();
	int r = work_run(verify, &job);

	metric_observe(METRIC_PASSWORD_TIME, (uint64_t)(loop_now() - before));
	if (r == 0 || r == -EACCES || r == -ENOMEM || r == -ECANCELED)
		return r;
	if (s->known)
		log_event(LOG_AUTH_FAILED, LOG_STR("user", s->names.user), LOG_REASON(&job.err));
	return -EACCES;
}

static void log_failure(const struct auth_login_in *in, const struct login_subject *s)
{
	if (!s->known)
		log_event(LOG_USER_UNKNOWN, LOG_STR("user", in->user),
			  LOG_STR("rip", in->client_address), LOG_STR("session", in->session));
	else if (s->refused)
		log_event(LOG_LOGIN_REFUSED, LOG_STR("user", in->user),
			  LOG_STR("rip", in->client_address), LOG_STR("session", in->session),
			  LOG_CSTR("reason", s->refused));
	else
		log_event(LOG_PASSWORD_MISMATCH, LOG_STR("user", in->user),
			  LOG_STR("rip", in->client_address), LOG_STR("session", in->session));
}

static struct login_proof proof_of(const struct auth_login_in *in, const struct login_subject *s)
{
	return (struct login_proof){ s->names.user, in->password, s->stored };
}

/* Known to be right: neither a worker nor the throttle need look at it. */
static bool is_cached(const struct auth_login_in *in, const struct login_subject *s)
{
	struct login_proof proof = proof_of(in, s);
	return s->known && !s->refused && login_cache_has(&auth_server->cache, &proof, loop_now());
}

/* After the throttle, whose pause may have seen other account files come. */
static int may_suspend check_login(const struct auth_login_in *in, struct arena *a,
				   struct login_subject *s)
{
	look_up(in, a, s);
	struct login_proof proof = proof_of(in, s);
	unsigned generation = auth_server->generation;
	int r = check_password(s, in->password);

	if (r == 0 && (!s->known || s->refused))
		r = -EACCES;
	if (r == -EACCES && !s->known && auth_server->directory->incomplete)
		r = -EAGAIN;
	/* A reload clears the cache; what was checked before it does not come back. */
	if (r == 0 && generation == auth_server->generation)
		login_cache_add(&auth_server->cache, &proof, loop_now());
	return r;
}

static int may_suspend throttled_login(const struct auth_login_in *in, struct arena *a,
				       struct login_subject *s, struct err *err)
{
	struct login_attempt attempt;
	int64_t begun = loop_now();
	struct str user = address_fold(a, in->user);

	look_up(in, a, s);
	if (is_cached(in, s))
		return 0;
	int64_t pause = login_throttle_begin(&auth_server->throttle, user, in->client_address,
					     begun, &attempt);
	int r = pause ? fiber_sleep(pause) : 0;
	if (r == 0)
		r = check_login(in, a, s);
	if (r == 0)
		login_throttle_succeeded(&auth_server->throttle, &attempt);
	else if (r != -EACCES)
		login_throttle_forget(&auth_server->throttle, &attempt);
	if (r != -EACCES)
		return r == 0 ? 0 : err_set(err, r, "login could not be checked");

	log_failure(in, s);
	int64_t left = begun + pause + auth_server->config.failure_delay - loop_now();
	int slept = left > 0 ? fiber_sleep(left) : 0;
	return err_set(err, slept < 0 ? slept : -EACCES, "authentication failed");
}

int auth_server_login(void *ctx, struct auth_login_in *in, struct arena *a,
		      struct auth_login_out *out, struct err *err)
{
	struct login_subject s = { 0 };
	(void)ctx;

	if (auth_server->logins >= LOGINS_MAX)
		return err_set(err, -EAGAIN, "too many logins are waiting");
	auth_server->logins++;
	int r = throttled_login(in, a, &s, err);
	auth_server->logins--;
	OPENSSL_cleanse((char *)in->password.p, in->password.n);
	if (r == 0)
		out->account = s.names.account;
	if (r == 0 || r == -EACCES)
		metric_add(r == 0 ? METRIC_LOGINS : METRIC_LOGIN_FAILURES, 1);
	return r;
}
