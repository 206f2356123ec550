/* posthorn: the supervisor. Reads the settings, binds the ports, starts the roles and keeps them
 * alive, notices changed files, ends everything in order.
 *
 * May: read configuration, write the log, start the role executables. Never reads a byte that
 * came over the network. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/fiber.h"
#include "core/fiber_log.h"
#include "core/group.h"
#include "core/io.h"
#include "core/log.h"
#include "core/log_tail.h"
#include "core/loop.h"
#include "core/process.h"
#include "core/settings.h"
#include "core/watch.h"
#include "core/work.h"
#include "queue/route.h"
#include "roles/children.h"
#include "roles/companion_list.h"
#include "roles/companions.h"
#include "roles/listeners.h"
#include "roles/privileges.h"
#include "roles/volumes.h"

#define WORKERS_MAX 4

/* Part of what a container gets to stop in. */
#define COMPANIONS_STOP_MS 5000

/* Who sets another means it. */
#define VMAIL_UID_DEFAULT 5000

/* A role that is not ready by then will not be: the journal is replayed after the start. */
#define START_MS      60000
#define START_LOOK_MS 200 /* whether we are to stop instead */

/* How often children that are nobody's are looked for. */
#define REAP_MS 1000

/* How often new log lines are copied to standard output. */
#define LOG_COPY_MS 200

/* A file that changed is read when it has been still for so long: editors that write in place
 * empty it first. */
#define SETTLE_MS 200

static struct {
	struct arena memory;
	struct settings settings;
	struct listeners listeners;
	struct children_config children;
	struct companion_list companions;
	struct group fibers;
	struct io signals;
	struct watch watch;
	uint32_t watched_accounts; /* bits of the account files */
	int lock;		   /* held as long as we live */
	int log_fd;
	const char *log_path; /* NULL: the log is standard error */
	int result;
} supervisor;

static void report_setting(void *ctx, enum settings_severity severity, const char *text)
{
	(void)ctx;
	switch (severity) {
	case SETTINGS_ERROR:
		log_event(LOG_SETTING_ERROR, LOG_CSTR("text", text));
		break;
	case SETTINGS_WARN:
		log_event(LOG_SETTING_WARNING, LOG_CSTR("text", text));
		break;
	case SETTINGS_INFO:
		log_event(LOG_SETTING_NOTE, LOG_CSTR("text", text));
		break;
	}
}

/* As many as there are processors for us, up to four. */
static unsigned default_workers(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;

	return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

static int load_settings(struct err *err)
{
	struct settings *set = &supervisor.settings;
	struct settings_reporter reporter = { .report = report_setting };
	int r = settings_load((const char *const *)environ, &reporter, &supervisor.memory, set,
			      err);

	if (r < 0)
		return r;
	if (!set->workers) {
		set->workers = default_workers();
		set->text[SETTING_ID_workers] =
			arena_printf(&supervisor.memory, "%lld", (long long)set->workers);
	}
	settings_use(set);
	return 0;
}

/* What the roles log to. Where the log volume cannot be written the log goes to standard error, and
 * nothing has to be copied; `err` says why. */
static void open_log(const struct settings *set, const struct volumes_owner *owner, struct err *err)
{
	struct str path =
		arena_printf(&supervisor.memory, "%" STR_FMT "/mail.log", STR_ARG(set->log_dir));
	int fd = open(path.p, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0) {
		err_sys(err, "%s", path.p);
		supervisor.log_fd = dup(STDERR_FILENO);
		return;
	}
	/* It is read again by whom we are going to be. */
	if (geteuid() != owner->uid)
		(void)!fchown(fd, owner->uid, owner->gid);
	supervisor.log_path = path.p;
	supervisor.log_fd = fd;
}

static void copy_log(void *unused)
{
	struct log_tail tail;
	struct err err;
	(void)unused;

	log_tail_init(&tail, supervisor.log_path);
	do
		log_flush();
	while (log_tail_copy(&tail, STDOUT_FILENO, &err) >= 0 && fiber_sleep(LOG_COPY_MS) == 0);
	(void)!log_tail_copy(&tail, STDOUT_FILENO, &err);
	log_tail_done(&tail);
}

static unsigned watch_in(struct watch *w, struct str dir, const char *file)
{
	return watch_add(w,
			 arena_printf(&supervisor.memory, "%" STR_FMT "/%s", STR_ARG(dir), file).p);
}

static const char *const account_files[] = {
	"postfix-accounts.cf",
	"postfix-virtual.cf",
	"postfix-regexp.cf",
	"postfix-aliases.cf",
	"dovecot-quotas.cf",
	"dovecot-masters.cf",
	"postfix-send-access.cf",
	"postfix-receive-access.cf",
	"postfix-relaymap.cf",
	"postfix-sasl-password.cf",
	"opendkim/KeyTable",
	"opendkim/SigningTable",
	"rspamd/override.d/dkim_signing.conf",
};

static void watch_certificates(struct watch *w)
{
	const struct settings *set = &supervisor.settings;
	const struct str paths[] = { set->ssl_cert_path, set->ssl_key_path, set->ssl_alt_cert_path,
				     set->ssl_alt_key_path };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (paths[i].n)
			watch_add(w, paths[i].p);
	for (unsigned i = 0; i < 2; i++) {
		struct str name = arena_printf(&supervisor.memory, "ssl/%s-%s.pem", set->fqdn.p,
					       i ? "key" : "cert");
		watch_in(w, set->config_dir, name.p);
	}
}

/* Before anybody reads the files, so that no change goes unnoticed. */
static void watch_begin(void)
{
	struct watch *w = &supervisor.watch;

	for (size_t i = 0; i < ARRAY_LEN(account_files); i++)
		watch_in(w, supervisor.settings.config_dir, account_files[i]);
	supervisor.watched_accounts = (1u << w->count) - 1;
	watch_certificates(w);
}

/* What changed, once it is still; not later than `limit` after the first change was seen: a file
 * that never rests is read as it is. 0 when there was none. */
static uint32_t may_suspend watch_changes(int64_t limit)
{
	uint32_t changed = watch_poll(&supervisor.watch), more = changed;
	int64_t end = loop_now() + limit;
	int64_t settle = limit < SETTLE_MS ? limit : SETTLE_MS;

	while (more && loop_now() < end && fiber_sleep(settle) == 0) {
		more = watch_poll(&supervisor.watch);
		changed |= more;
	}
	return changed;
}

/* Four looks in the time of DMS_CONFIG_POLL, so that a change is in force after it. */
static void watch_files(void *unused)
{
	const struct watch *w = &supervisor.watch;
	int64_t pause = supervisor.settings.config_poll / 4;
	(void)unused;

	while (fiber_sleep(pause) == 0) {
		uint32_t changed = watch_changes(pause);
		for (unsigned i = 0; i < w->count; i++)
			if (changed & 1u << i)
				log_event(LOG_CONFIG_CHANGED, LOG_CSTR("file", w->paths[i]));
		if (!changed)
			continue;
		children_reload(changed & supervisor.watched_accounts,
				changed & ~supervisor.watched_accounts);
		log_event(LOG_CONFIG_LOADED);
	}
}

/* As the first process of a container we get every child whose own parent has ended. */
static bool is_ours(pid_t pid)
{
	return children_has_process(pid) || companions_have_process(pid);
}

static void reap_strangers(void *unused)
{
	(void)unused;
	while (fiber_sleep(REAP_MS) == 0)
		process_reap_strangers(is_ours);
}

/* Blocked from the beginning, so that they arrive through the descriptor: the first process of a
 * container would lose them. Children start with none blocked. */
static sigset_t block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return set;
}

static int watch_signals(struct err *err)
{
	sigset_t set = block_signals();
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "signalfd");
	io_init(&supervisor.signals, fd);
	fiber_log_on_signal();
	return 0;
}

/* The next signal, or -ETIMEDOUT. */
static int may_suspend next_signal(int64_t deadline)
{
	struct signalfd_siginfo info;

	for (;;) {
		if (read(supervisor.signals.fd, &info, sizeof(info)) == sizeof(info))
			return (int)info.ssi_signo;
		int r = io_wait_readable(&supervisor.signals, deadline);
		if (r < 0)
			return r;
	}
}

/* Wait for a signal that says stop; others are obeyed meanwhile. False at the deadline. */
static bool may_suspend stop_is_wanted(int64_t deadline)
{
	int s;

	while ((s = next_signal(deadline)) == SIGHUP) {
		children_reload(true, true);
		log_event(LOG_CONFIG_LOADED);
	}
	return s > 0;
}

/* The queue could not start with them, and its mail would wait for it. */
static int check_next_hops(const struct settings *set, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str nexthop, relay = set->default_relay_host, agent = set->dagent;

	if (relay.n && route_parse(relay, &a, &nexthop, err) < 0)
		return err_prefix(err, "DEFAULT_RELAY_HOST");
	if (agent.n && route_parse(agent, &a, &nexthop, err) < 0)
		return err_prefix(err, "POSTFIX_DAGENT");
	return 0;
}

static int refuse_what_is_missing(const struct settings *set, struct err *err)
{
	if (set->mailbox_format != SETTING_MAILBOX_FORMAT_MAILDIR)
		return err_set(err, -EINVAL,
			       "DOVECOT_MAILBOX_FORMAT=%s: only maildir is supported; convert the "
			       "mailboxes with `doveadm sync` first",
			       set->text[SETTING_ID_mailbox_format].p);
	return check_next_hops(set, err);
}

/* One server at a time works on the volumes. The lock ends with the process, however it ends. */
static int lock_state(const struct settings *set, struct err *err)
{
	struct str path =
		arena_printf(&supervisor.memory, "%" STR_FMT "/lock", STR_ARG(set->state_dir));
	auto_close int fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, "%s", path.p);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return err_set(err, -EBUSY,
				       "another Posthorn works on %s: stop it first, or set "
				       "POSTHORN_ROOT to give this one its own files",
				       set->state_dir.p);
		return err_sys(err, "lock %s", path.p);
	}
	supervisor.lock = take_fd(&fd);
	return 0;
}

/* Some volumes cannot hold a socket; only sendmail misses it. */
static void open_local_door(const struct settings *set)
{
	struct err err;

	if (listeners_open_local(set, &supervisor.listeners, &err) < 0)
		log_event(LOG_CALL_FAILED, LOG_CSTR("what", "the socket of sendmail"),
			  LOG_REASON(&err));
}

/* Ports first: whoever started us as root did it for them. Files are made by whom we run as. */
static int prepare(const struct volumes_owner *owner, struct err *err)
{
	const struct settings *set = &supervisor.settings;
	int r = refuse_what_is_missing(set, err);

	if (r == 0)
		r = listeners_open(set, &supervisor.listeners, err);
	if (r == 0)
		r = privileges_drop(owner, err);
	if (r == 0)
		r = volumes_check(set, err);
	if (r == 0)
		r = lock_state(set, err);
	if (r == 0)
		open_local_door(set);
	if (r == 0)
		r = watch_signals(err);
	return r;
}

/* How a build with sanitizers behaves is told by these; they count for all of its processes. */
static const char *const inherited[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS" };

/* The settings as we resolved them, and the number under which the log is passed on. */
static const char *const *child_environment(void)
{
	struct arena *a = &supervisor.memory;
	const char *const *settings = settings_export(&supervisor.settings, a);
	size_t n = 0;

	while (settings[n])
		n++;
	const char **env = ARENA_NEW_ARRAY(a, const char *, n + ARRAY_LEN(inherited) + 2);
	memcpy(env, settings, n * sizeof(*env));
	env[n++] = LOG_FD_ENV "=4";
	for (size_t i = 0; i < ARRAY_LEN(inherited); i++) {
		const char *value = getenv(inherited[i]);
		if (value)
			env[n++] = arena_printf(a, "%s=%s", inherited[i], value).p;
	}
	return env;
}

/* Where our own executable is, there are the roles'. */
static const char *executable_directory(void)
{
	char path[1024];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	check(n > 0);
	struct str dir = str_sub(str_of(path, (size_t)n), 0,
				 (size_t)str_rfind_byte(str_of(path, (size_t)n), '/'));
	return arena_cstr(&supervisor.memory, dir);
}

/* -ECANCELED when we are to stop before the roles are ready. */
static int may_suspend wait_ready(struct err *err)
{
	int64_t deadline = loop_deadline(START_MS);
	int r;

	while ((r = children_wait_ready(loop_deadline(START_LOOK_MS), err)) == -ETIMEDOUT &&
	       loop_now() < deadline)
		if (stop_is_wanted(0))
			return -ECANCELED;
	return r;
}

static int may_suspend start_roles(struct err *err)
{
	const struct settings *set = &supervisor.settings;

	supervisor.children = (struct children_config){
		.settings = set,
		.env = child_environment(),
		.directory = executable_directory(),
		.listeners = &supervisor.listeners,
		.log_fd = supervisor.log_fd,
		.workers = (unsigned)set->workers,
		.web = set->web_port > 0,
	};
	int r = children_start(&supervisor.children, &supervisor.fibers, err);
	return r < 0 ? r : wait_ready(err);
}

/* The server serves without them: what goes wrong here is said and no more. */
static void start_companions(const struct settings *set)
{
	struct err err;

	if (companion_list_make(set, &supervisor.memory, &supervisor.companions, &err) < 0)
		log_event(LOG_COMPANION_FAILED, LOG_CSTR("name", "companions"), LOG_REASON(&err));
	companions_start(&supervisor.companions, &supervisor.fibers);
}

static void main_fiber(void *unused)
{
	const struct settings *set = &supervisor.settings;
	struct err err;
	(void)unused;

	if (supervisor.log_path)
		check(fiber_spawn(&supervisor.fibers, "log copy", copy_log, NULL) == 0);
	check(fiber_spawn(&supervisor.fibers, "reap", reap_strangers, NULL) == 0);
	watch_begin();
	int r = start_roles(&err);
	if (r == 0) {
		check(fiber_spawn(&supervisor.fibers, "watch", watch_files, NULL) == 0);
		log_event(LOG_SERVER_READY, LOG_STR("fqdn", set->fqdn));
		start_companions(set);
		(void)!stop_is_wanted(LOOP_FOREVER);
	} else if (r != -ECANCELED) {
		log_event(LOG_SERVER_FATAL, LOG_REASON(&err));
	}
	supervisor.result = r == 0 || r == -ECANCELED ? EXIT_SUCCESS : EXIT_FAILURE;
	log_event(LOG_SERVER_STOPPING);
	companions_stop(loop_deadline(COMPANIONS_STOP_MS));
	children_stop(loop_deadline(set->stop_timeout));
	group_done(&supervisor.fibers);
}

static void open_and_init_log(const struct volumes_owner *owner, struct err *err)
{
	open_log(&supervisor.settings, owner, err);
	struct log_config log = log_config_from_settings("master");

	log.fd = supervisor.log_fd;
	log_init(&log);
	log_event(LOG_SERVER_STARTING, LOG_CSTR("version", POSTHORN_VERSION));
}

static void warn_of_other_owner(const struct settings *set, const struct volumes_owner *owner)
{
	char text[128];

	if (set->vmail_uid == VMAIL_UID_DEFAULT || owner->uid == (uid_t)set->vmail_uid)
		return;
	snprintf(text, sizeof(text), "DMS_VMAIL_UID=%lld has no effect: the server runs as user %u",
		 (long long)set->vmail_uid, (unsigned)owner->uid);
	log_event(LOG_SETTING_WARNING, LOG_CSTR("text", text));
}

/* Nobody copies the log to where the operator looks, before the loop runs. */
static int fail(const struct err *err)
{
	log_event(LOG_SERVER_FATAL, LOG_REASON(err));
	log_flush();
	if (supervisor.log_path)
		fprintf(stderr, "posthorn: %s\n", err->text);
	return EXIT_FAILURE;
}

int main(void)
{
	struct volumes_owner owner;
	struct group main_group;
	struct err err, log_err;

	(void)block_signals();
	if (load_settings(&err) < 0)
		return EXIT_FAILURE;
	if (volumes_make(&supervisor.settings, &owner, &err) < 0)
		return fail(&err);
	open_and_init_log(&owner, &log_err);
	warn_of_other_owner(&supervisor.settings, &owner);
	loop_init(LOOP_CLOCK_REAL);
	loop_set_turn_hook(log_flush);
	if (prepare(&owner, &err) < 0)
		return fail(&err);
	if (!supervisor.log_path)
		log_event(LOG_ELSEWHERE, LOG_REASON(&log_err));

	group_init(&supervisor.fibers);
	group_init(&main_group);
	check(fiber_spawn(&main_group, "main", main_fiber, NULL) == 0);
	loop_run();
	listeners_close(&supervisor.listeners);
	io_done(&supervisor.signals);
	log_flush();
	loop_done();
	arena_done(&supervisor.memory);
	return supervisor.result;
}
