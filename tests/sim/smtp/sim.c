#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "core/log.h"
#include "core/self_signed.h"
#include "core/tls.h"
#include "core/work.h"

#define WAIT_MS (24 * 3600 * 1000)

int sim_setup(void **state)
{
	(void)state;
	loop_init(LOOP_CLOCK_VIRTUAL);
	work_init(2);
	return 0;
}

int sim_teardown(void **state)
{
	(void)state;
	/* A failed assertion jumped out of a fiber: leave the wreck alone, so that it is
	 * reported. */
	if (fiber_count() > 0)
		return -1;
	work_done();
	loop_done();
	return 0;
}

static struct smtp_target *target(struct arena *a, enum envelope_kind kind, struct str address)
{
	struct smtp_target *t = ARENA_NEW(a, struct smtp_target);
	*t = (struct smtp_target){ .kind = kind, .address = address };
	return t;
}

/* example.org is ours, with alice, bob, team (both of them) and a few troublesome names. */
static int fake_resolve(void *ctx, const struct smtp_question *q, struct arena *a,
			struct smtp_resolution *out, struct err *err)
{
	struct sim *sim = ctx;
	struct str address = q->address;
	if (sim->resolve_error)
		return err_set(err, sim->resolve_error, "told to fail");
	*out = (struct smtp_resolution){ .verdict = AUTH_OK, .count = 1 };
	if (str_eq(address, STR("denied@example.org"))) {
		*out = (struct smtp_resolution){ .verdict = AUTH_DENIED,
						 .code = 450,
						 .text = STR("4.7.9 not today") };
	} else if (str_eq(address, STR("loop@example.org"))) {
		out->verdict = AUTH_ALIAS_ERROR;
		out->count = 0;
	} else if (str_starts(address, STR("team@"))) {
		out->targets = ARENA_NEW_ARRAY(a, struct smtp_target, 2);
		out->targets[0].address = STR("alice@example.org");
		out->targets[1].address = STR("bob@example.org");
		out->count = 2;
	} else if (str_ends(address, STR("@example.org")) && !str_starts(address, STR("nobody@"))) {
		out->targets = target(a, ENVELOPE_MAILBOX, arena_str(a, address));
		out->targets[0].limited = str_starts(address, STR("full@"));
	} else if (str_eq(address, STR("postmaster@mail.example.org"))) {
		out->targets = target(a, ENVELOPE_MAILBOX, STR("alice@example.org"));
	} else if (str_starts(address, STR("nobody@"))) {
		out->verdict = AUTH_UNKNOWN_USER;
		out->count = 0;
	} else {
		out->verdict = AUTH_NOT_OURS;
		out->targets = target(a, ENVELOPE_REMOTE, arena_str(a, address));
	}
	out->sender.denied = str_starts(q->sender, STR("banned@"));
	out->sender.owned = str_eq(q->sender, q->login);
	out->sender.ours = !q->sender.n || str_ends(q->sender, STR("@example.org"));
	return 0;
}

/* Whoever logs in owns that address and team@. */
static int fake_find_stranger(void *ctx, const struct smtp_claim *claim, struct arena *a,
			      struct str *stranger, struct err *err)
{
	struct sim *sim = ctx;
	(void)a;

	if (sim->resolve_error)
		return err_set(err, sim->resolve_error, "told to fail");
	for (size_t i = 0; i < claim->count && !stranger->n; i++)
		if (!str_eq(claim->authors[i], claim->login) &&
		    !str_starts(claim->authors[i], STR("team@")))
			*stranger = claim->authors[i];
	return 0;
}

/* Of full@example.org, whose last bytes are less than a kilobyte. */
static int fake_is_full(void *ctx, const struct smtp_target *t, uint64_t size, struct err *err)
{
	struct sim *sim = ctx;
	if (sim->room_error)
		return err_set(err, sim->room_error, "told to fail");
	check(t->limited);
	return size > 1000;
}

static int fake_find_name(void *ctx, const char *address, struct arena *a,
			  struct smtp_peer_name *out)
{
	struct sim *sim = ctx;
	int64_t end = loop_deadline(sim->name_delay ? sim->name_delay : 1);
	(void)a;

	check(strcmp(address, "192.0.2.1") == 0);
	int r = fiber_sleep(end - loop_now());
	*out = (struct smtp_peer_name){ .result = FILTER_IPREV_TEMPERROR };
	if (loop_now() >= end)
		*out = (struct smtp_peer_name){ sim->name ? FILTER_IPREV_PASS
							  : FILTER_IPREV_PERMERROR,
						str_from(sim->name) };
	return r == -ECANCELED ? r : 0;
}

static int fake_find_domain(void *ctx, struct str domain, enum smtp_domain_state *out)
{
	struct sim *sim = ctx;

	check(str_is_ascii(domain));
	sim->domains_asked++;
	*out = sim->sender_domain ? sim->sender_domain : SMTP_DOMAIN_FOUND;
	return 0;
}

static int fake_login(void *ctx, const struct smtp_login *in, struct arena *a, struct str *account,
		      struct err *err)
{
	struct sim *sim = ctx;
	sim->logins++;
	if (str_eq(in->credentials.user, STR("trouble@example.org")))
		return err_set(err, -EIO, "told to fail");
	if (!str_eq(in->credentials.user, STR("alice@example.org")) ||
	    !str_eq(in->credentials.password, STR("secret")))
		return err_set(err, -EACCES, "Password mismatch");
	*account = arena_str(a, in->credentials.user);
	return 0;
}

static void keep_recipients(struct sim *sim, const struct envelope *e)
{
	sim->recipient_count = e->recipient_count;
	for (size_t i = 0; i < e->recipient_count && i < ARRAY_LEN(sim->recipients); i++) {
		const struct envelope_recipient *r = &e->recipients[i];
		sim->recipients[i] = arena_str(&sim->arena, r->address);
		sim->originals[i] = arena_str(&sim->arena, r->original);
		sim->orcpt = arena_str(&sim->arena, r->orcpt);
		sim->notify = r->notify;
	}
}

static int fake_sign(void *ctx, const struct smtp_message *m, struct arena *a, struct str *lines,
		     struct err *err)
{
	struct sim *sim = ctx;
	(void)m;

	if (sim->sign_error)
		return err_set(err, sim->sign_error, "no pen");
	*lines = arena_str(a, str_from(sim->signature));
	return 0;
}

static int fake_examine(void *ctx, const struct smtp_message *m, struct arena *a,
			struct smtp_verdict *out, struct err *err)
{
	struct sim *sim = ctx;
	(void)m;

	if (sim->examine_error)
		return err_set(err, sim->examine_error, "no magnifier");
	*out = (struct smtp_verdict){ .refusal = arena_str(a, str_from(sim->refusal)),
				      .lines = arena_str(a, str_from(sim->results)) };
	return 0;
}

static int fake_submit(void *ctx, const struct smtp_message *m, struct err *err)
{
	struct sim *sim = ctx;
	if (sim->submit_delay && fiber_sleep(sim->submit_delay) < 0)
		return err_set(err, -ECANCELED, "cancelled");
	if (sim->submit_error)
		return err_set(err, sim->submit_error, "told to fail");
	sim->submitted++;
	check(envelope_check(&m->envelope, err) == 0);
	sim->sender = arena_str(&sim->arena, m->envelope.sender);
	sim->envid = arena_str(&sim->arena, m->envelope.envid);
	sim->auth_user = arena_str(&sim->arena, m->envelope.auth_user);
	sim->flags = m->envelope.flags;
	sim->client_name = arena_str(&sim->arena, m->envelope.client_name);
	sim->iprev = m->iprev;
	keep_recipients(sim, &m->envelope);
	sim->head = arena_str(&sim->arena, m->head);
	check(fd_read_all(m->body, &sim->arena, 1 << 26, &sim->body, err) == 0);
	check(sim->body.n == m->body_size);
	return 0;
}

static struct tls_context *fake_tls(void *ctx)
{
	return tls_context_ref(((struct sim *)ctx)->tls);
}

void sim_use_tls(struct sim *sim)
{
	char dir[] = "/tmp/posthorn-sim-XXXXXX";
	struct err err;
	assert_non_null(mkdtemp(dir));
	struct str cert = arena_printf(&sim->arena, "%s/cert", dir);
	struct str key = arena_printf(&sim->arena, "%s/key", dir);
	struct tls_files files = { .cert = cert.p, .key = key.p };
	assert_int_equal(self_signed_make("mail.example.org", cert.p, key.p, &err), 0);
	assert_int_equal(tls_context_new(&files, TLS_LEVEL_MODERN, &sim->tls, &err), 0);
	(void)unlink(cert.p);
	(void)unlink(key.p);
	(void)rmdir(dir);
}

static const struct smtp_backend fake_backend = {
	.resolve = fake_resolve,
	.find_stranger = fake_find_stranger,
	.is_full = fake_is_full,
	.find_name = fake_find_name,
	.find_domain = fake_find_domain,
	.login = fake_login,
	.sign = fake_sign,
	.examine = fake_examine,
	.submit = fake_submit,
};

static void session_fiber(void *arg)
{
	struct sim *sim = arg;
	struct smtp_client client = sim->client;
	smtp_session_run(&sim->service, &client);
}

void sim_connect(struct sim *sim)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	sim->client.fd = fds[0];
	sim->peer = stream_new(fds[1]);
	stream_set_idle(sim->peer, WAIT_MS);
	assert_int_equal(fiber_spawn(&sim->sessions, "session", session_fiber, sim), 0);
	assert_int_equal(fiber_yield(), 0);
}

void sim_hang_up(struct sim *sim)
{
	stream_free(sim->peer);
	sim->peer = NULL;
}

static const char *const no_env[] = { NULL };

static void load_settings(struct sim *sim, const char *const *env)
{
	const char *all[16] = { "OVERRIDE_HOSTNAME=mail.example.org" };
	bool delay = false;
	struct err err;
	size_t n = 1;
	for (; *env; env++) {
		delay |= str_starts(str_from(*env), STR("POSTHORN_SMTP_GREET_DELAY="));
		all[n++] = *env;
	}
	if (!delay)
		all[n++] = "POSTHORN_SMTP_GREET_DELAY=0";
	if (settings_load(all, NULL, &sim->arena, &sim->settings, &err) < 0)
		fail_msg("%s", err.text);
}

static void open_log(struct sim *sim)
{
	sim->log = memfd_create("log", MFD_CLOEXEC);
	struct log_config config = {
		.role = "front", .host = STR("mail"), .level = LOG_LEVEL_INFO, .fd = sim->log
	};
	log_init(&config);
}

struct run {
	struct sim *sim;
	bool connect;
	void (*fn)(struct sim *sim);
};

static void test_fiber(void *arg)
{
	struct run *run = arg;
	struct sim *sim = run->sim;
	if (run->connect)
		sim_connect(sim);
	run->fn(sim);
	sim_hang_up(sim);
	assert_int_equal(group_join(&sim->sessions, LOOP_FOREVER), 0);
}

static void run_in_loop(enum smtp_port port, const char *const *env, const struct run *how)
{
	struct sim sim = { 0 };
	struct run run = *how;
	struct group g;

	run.sim = &sim;
	arena_init(&sim.arena);
	group_init(&sim.sessions);
	group_init(&g);
	load_settings(&sim, env ? env : no_env);
	open_log(&sim);
	sim.service = (struct smtp_service){
		.settings = &sim.settings,
		.backend = &fake_backend,
		.ctx = &sim,
		.tls = fake_tls,
		.throttle = smtp_throttle_new((size_t)sim.settings.connections_per_address,
					      (size_t)sim.settings.connections_max),
		.spool = -1,
	};
	queue_id_gen_init(&sim.service.ids, 0);
	sim.client =
		(struct smtp_client){ .port = port, .address = "192.0.2.1", .name = "unknown" };

	assert_int_equal(fiber_spawn(&g, "test", test_fiber, &run), 0);
	loop_run();
	assert_int_equal(fiber_count(), 0);
	smtp_throttle_free(sim.service.throttle);
	tls_context_unref(sim.tls);
	log_flush();
	log_set_fd(2);
	close(sim.log);
	arena_done(&sim.arena);
}

void sim_run(enum smtp_port port, const char *const *env, void (*fn)(struct sim *sim))
{
	run_in_loop(port, env, &(struct run){ .connect = true, .fn = fn });
}

void sim_run_idle(enum smtp_port port, const char *const *env, void (*fn)(struct sim *sim))
{
	run_in_loop(port, env, &(struct run){ .connect = false, .fn = fn });
}

void sim_send(struct sim *sim, struct str bytes)
{
	stream_write(sim->peer, bytes);
	(void)!stream_flush(sim->peer);
}

void sim_say(struct sim *sim, const char *text)
{
	sim_send(sim, str_from(text));
}

static void expect_line(struct sim *sim, struct str expected)
{
	struct str line;
	int r = stream_read_line(sim->peer, 4096, &line);
	if (r < 0)
		fail_msg("expected \"%" STR_FMT "\", got error %d", STR_ARG(expected), r);
	assert_true(str_ends(line, STR("\r\n")));
	line = str_chomp(line);
	bool prefix = str_ends(expected, STR("*"));
	struct str head = prefix ? str_sub(expected, 0, expected.n - 1) : expected;
	if (!(prefix ? str_starts(line, head) : str_eq(line, head)))
		fail_msg("expected \"%" STR_FMT "\", got \"%" STR_FMT "\"", STR_ARG(expected),
			 STR_ARG(line));
}

void sim_talk(struct sim *sim, const char *script)
{
	STR_FOREACH_LINE (str_from(script), line) {
		if (str_starts(line, STR("S: "))) {
			expect_line(sim, str_skip(line, 3));
		} else {
			check(str_starts(line, STR("C: ")));
			stream_write(sim->peer, str_skip(line, 3));
			stream_puts(sim->peer, "\r\n");
		}
	}
	(void)!stream_flush(sim->peer);
}

void sim_expect_closed(struct sim *sim)
{
	struct str line;
	int r = stream_read_line(sim->peer, 4096, &line);
	if (r >= 0)
		fail_msg("expected the end, got \"%" STR_FMT "\"", STR_ARG(str_chomp(line)));
	assert_true(r == -ENODATA || r == -ECONNRESET);
}

void sim_expect_log(struct sim *sim, const char *text)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str log;
	struct err err;
	log_flush();
	assert_int_equal(fd_read_all(sim->log, &a, 1 << 24, &log, &err), 0);
	if (str_find(log, str_from(text)) < 0)
		fail_msg("the log has no \"%s\":\n%" STR_FMT, text, STR_ARG(log));
}

void sim_greet(struct sim *sim)
{
	sim_talk(sim, "S: 220 mail.example.org ESMTP\n"
		      "C: EHLO client.example.net\n"
		      "S: 250-mail.example.org\n");
	struct str line = STR_NONE;
	do
		assert_int_equal(stream_read_line(sim->peer, 4096, &line), 0);
	while (!str_starts(line, STR("250 ")));
}

void sim_open_message(struct sim *sim)
{
	sim_greet(sim);
	sim_talk(sim, "C: MAIL FROM:<sender@example.net>\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 250 2.1.0 Ok\n"
		      "S: 250 2.1.5 Ok\n");
}
