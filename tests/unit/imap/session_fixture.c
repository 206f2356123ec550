#include "session_fixture.h"

#include "transcript.h"

struct session_case {
	struct account *account;
	const struct imap_session_limits *limits;
};

uint64_t session_quota;

static uint64_t quota(void *ctx, struct str account)
{
	(void)ctx, (void)account;
	return session_quota;
}

static void serve(struct stream *s, void *ctx)
{
	struct session_case *c = ctx;
	struct imap_session_params p = {
		.stream = s,
		.pool = c->account->pool,
		.mail_path = str_from(c->account->path),
		.limits = *c->limits,
		.quota = quota,
	};

	imap_session_run(&p);
}

void session_run_limited(const char *script, void (*prepare)(struct account *t),
			 const struct imap_session_limits *limits)
{
	for (int mode = 0; mode < TRANSCRIPT_MODES; mode++) {
		void *state = NULL;
		assert_int_equal(account_setup(&state), 0);
		struct session_case c = { .account = state, .limits = limits };
		if (prepare)
			prepare(c.account);
		transcript_run(script, mode, serve, &c);
		assert_int_equal(account_teardown(&state), 0);
	}
}

void session_run(const char *script, void (*prepare)(struct account *t))
{
	session_run_limited(script, prepare, &IMAP_SESSION_LIMITS);
}
