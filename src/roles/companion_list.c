#include "roles/companion_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/settings.h"

#define FILE_MAX (1u << 20)

struct making {
	const struct settings *set;
	struct arena *arena;
	struct companion_list *list;
	struct err *err;
};

static struct companion *add(struct making *m, const char *name, const char *setting,
			     const char *program)
{
	struct companion *c;

	if (m->list->count == COMPANIONS_MAX)
		return NULL;
	c = &m->list->v[m->list->count++];
	*c = (struct companion){ .name = name, .setting = setting, .program = program };
	c->argv[0] = program;
	return c;
}

static void add_arg(struct companion *c, const char *arg)
{
	unsigned n = 0;

	while (c->argv[n])
		n++;
	check(n < COMPANION_ARGS_MAX);
	c->argv[n] = arg;
}

/* The directory of one program in the state volume, as docker-mailserver names it. NULL: *err. */
static const char *state_dir(struct making *m, const char *name)
{
	struct str path = settings_path(m->set, m->arena,
					arena_printf(m->arena, "/var/mail-state/%s", name).p);

	return fd_make_dirs(path.p, 0700, m->err) < 0 ? NULL : path.p;
}

/* A file in the directory of the server's own state; these programs insist that nobody else can
 * read theirs. */
static const char *write_file(struct making *m, const char *name, struct str text)
{
	struct str dir =
		arena_printf(m->arena, "%" STR_FMT "/companions", STR_ARG(m->set->state_dir));
	struct str path = arena_printf(m->arena, "%" STR_FMT "/%s", STR_ARG(dir), name);

	if (fd_make_dirs(dir.p, 0700, m->err) < 0 ||
	    fd_replace_file(path.p, text, 0600, m->err) < 0)
		return NULL;
	return path.p;
}

static int read_config(struct making *m, const char *name, struct str *out)
{
	struct str path =
		arena_printf(m->arena, "%" STR_FMT "/%s", STR_ARG(m->set->config_dir), name);

	return fd_read_file(path.p, m->arena, FILE_MAX, out, m->err);
}

/* Where the lines of a fetchmailrc that stand before the first "poll" end. */
static bool is_poll(struct str line)
{
	line = str_trim(line);
	return str_starts(line, STR("poll ")) || str_starts(line, STR("poll\t"));
}

static int add_fetchmail_run(struct making *m, struct str globals, struct str polls)
{
	const char *id = arena_printf(m->arena, "%u", m->list->count).p;
	const char *name = arena_printf(m->arena, "fetchmail-%s", id).p;
	struct str text = arena_printf(
		m->arena, "set daemon %lld\nset no syslog\n%" STR_FMT "%" STR_FMT,
		(long long)(m->set->fetchmail_poll / 1000), STR_ARG(globals), STR_ARG(polls));
	const char *state = state_dir(m, "lib-fetchmail");
	const char *rc = write_file(m, arena_printf(m->arena, "%s.rc", name).p, text);
	struct companion *c = add(m, name, "ENABLE_FETCHMAIL", "fetchmail");

	if (!state || !rc)
		return m->err->code;
	if (!c)
		return err_set(m->err, -E2BIG, "fetchmail.cf: more than %d polls", COMPANIONS_MAX);
	add_arg(c, "--nodetach");
	add_arg(c, "--fetchmailrc");
	add_arg(c, rc);
	add_arg(c, "--idfile");
	add_arg(c, arena_printf(m->arena, "%s/.fetchmail-UIDL-cache", state).p);
	add_arg(c, "--pidfile");
	add_arg(c, arena_printf(m->arena, "%s/%s.pid", state, name).p);
	return 0;
}

/* fetchmail.cf: one process, or with FETCHMAIL_PARALLEL one for every "poll" entry. */
static int add_fetchmail(struct making *m)
{
	struct str text, globals = STR_NONE, polls = STR_NONE;
	int r = read_config(m, "fetchmail.cf", &text);

	if (r < 0)
		return r;
	if (!m->set->fetchmail_parallel)
		return add_fetchmail_run(m, text, STR_NONE);
	/* Slices of `text` that grow line by line. */
	STR_FOREACH_LINE (text, line) {
		if (is_poll(line)) {
			if (polls.n && (r = add_fetchmail_run(m, globals, polls)) < 0)
				return r;
			polls = str_of(line.p, 0);
		}
		struct str *part = polls.p ? &polls : &globals;
		const char *end = line.p + line.n;
		if (end < text.p + text.n)
			end++;
		if (!part->p)
			*part = str_of(line.p, 0);
		part->n = (size_t)(end - part->p);
	}
	return polls.n ? add_fetchmail_run(m, globals, polls) : 0;
}

#define GETMAIL_OPTIONS                                                                            \
	"[options]\nverbose = 0\nread_all = false\ndelete = false\n"                               \
	"max_messages_per_session = 500\nreceived = false\ndelivered_to = false\n"

static int add_getmail_run(struct making *m, const char *file, struct str options)
{
	struct str text;
	const char *name = arena_printf(m->arena, "getmail-%s", file).p;
	int r = read_config(m, arena_printf(m->arena, "getmail/%s", file).p, &text);

	if (r < 0)
		return r;
	const char *state = state_dir(m, "lib-getmail");
	const char *rc = write_file(
		m, name,
		arena_printf(m->arena, "%" STR_FMT "\n%" STR_FMT, STR_ARG(options), STR_ARG(text)));
	struct companion *c = add(m, name, "ENABLE_GETMAIL", "getmail");
	if (!state || !rc)
		return m->err->code;
	if (!c)
		return err_set(m->err, -E2BIG, "getmail: more than %d files", COMPANIONS_MAX);
	c->every = m->set->getmail_poll * 60000;
	add_arg(c, "--getmaildir");
	add_arg(c, state);
	add_arg(c, "--rcfile");
	add_arg(c, rc);
	return 0;
}

/* getmail/<id>.cf, each behind the options of getmailrc_general.cf. */
static int add_getmail(struct making *m)
{
	struct str options = STR(GETMAIL_OPTIONS);
	struct str path =
		arena_printf(m->arena, "%" STR_FMT "/getmail", STR_ARG(m->set->config_dir));
	DIR *dir = opendir(path.p);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return err_sys(m->err, "%s", path.p);
	if (read_config(m, "getmail/getmailrc_general.cf", &options) == -ENOENT)
		options = STR(GETMAIL_OPTIONS);
	while (r == 0 && (e = readdir(dir))) {
		struct str name = str_from(e->d_name);
		if (str_ends(name, STR(".cf")) && !str_eq(name, STR("getmailrc_general.cf")))
			r = add_getmail_run(m, arena_cstr(m->arena, name), options);
	}
	closedir(dir);
	return r;
}

/* Its data are worth keeping: what rspamd has learnt. */
static int add_redis(struct making *m)
{
	const char *state = state_dir(m, "lib-redis");
	struct companion *c = add(m, "redis", "ENABLE_RSPAMD_REDIS", "redis-server");

	if (!state)
		return m->err->code;
	add_arg(c, "--bind");
	add_arg(c, "127.0.0.1");
	add_arg(c, "--port");
	add_arg(c, "6379");
	add_arg(c, "--dir");
	add_arg(c, state);
	add_arg(c, "--dbfilename");
	add_arg(c, "dms-dump.rdb");
	return 0;
}

/* Rspamd's own configuration with overrides from the configuration volume. */
static int add_rspamd(struct making *m)
{
	const char *state = state_dir(m, "lib-rspamd");
	struct companion *c = add(m, "rspamd", "ENABLE_RSPAMD", "rspamd");

	if (!state)
		return m->err->code;
	add_arg(c, "--no-fork");
	add_arg(c, "--insecure"); /* as the user that we are, whoever that is */
	add_arg(c, arena_printf(m->arena, "--var=DBDIR=%s", state).p);
	add_arg(c, arena_printf(m->arena, "--var=RUNDIR=%s", state).p);
	add_arg(c, arena_printf(m->arena, "--var=LOGDIR=%" STR_FMT, STR_ARG(m->set->log_dir)).p);
	add_arg(c, arena_printf(m->arena, "--var=LOCAL_CONFDIR=%" STR_FMT "/rspamd",
				STR_ARG(m->set->config_dir))
			   .p);
	return 0;
}

/* The scanner, and what keeps its signatures fresh. */
static int add_clamav(struct making *m)
{
	const char *state = state_dir(m, "lib-clamav");

	if (!state)
		return m->err->code;
	const char *clamd = write_file(m, "clamd.conf",
				       arena_printf(m->arena,
						    "Foreground yes\nDatabaseDirectory %s\n"
						    "LocalSocket %s/clamd.sock\n",
						    state, state));
	const char *freshclam =
		write_file(m, "freshclam.conf",
			   arena_printf(m->arena,
					"Foreground yes\nDatabaseDirectory %s\nChecks 4\n"
					"DatabaseMirror database.clamav.net\n",
					state));
	struct companion *scanner = add(m, "clamd", "ENABLE_CLAMAV", "clamd");
	struct companion *updater = add(m, "freshclam", "ENABLE_CLAMAV", "freshclam");
	if (!clamd || !freshclam)
		return m->err->code;
	add_arg(scanner, arena_printf(m->arena, "--config-file=%s", clamd).p);
	add_arg(updater, arena_printf(m->arena, "--config-file=%s", freshclam).p);
	add_arg(updater, "--daemon");
	return 0;
}

int companion_list_make(const struct settings *set, struct arena *a, struct companion_list *out,
			struct err *err)
{
	struct making m = { .set = set, .arena = a, .list = out, .err = err };
	const struct {
		bool wanted;
		int (*add)(struct making *m);
	} all[] = {
		{ set->enable_rspamd && set->enable_rspamd_redis, add_redis },
		{ set->enable_rspamd, add_rspamd },
		{ set->enable_clamav, add_clamav },
		{ set->enable_fetchmail, add_fetchmail },
		{ set->enable_getmail, add_getmail },
	};
	int r = 0;

	out->count = 0;
	for (size_t i = 0; i < ARRAY_LEN(all) && r == 0; i++)
		if (all[i].wanted)
			r = all[i].add(&m);
	return r;
}
