#include "roles/companions.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/process.h"
#include "roles/companion_list.h"

struct life {
	const struct companion *companion;
	const char *path;
	struct process process;
	bool alive;
};

static struct life lives[COMPANIONS_MAX];
static unsigned life_count;
static bool stopping;
static struct waitq ended;

/* As a shell finds it; NULL: it is not installed. */
static const char *find_program(const char *name, char out[static 512])
{
	const char *path = getenv("PATH");
	struct str rest = str_from(path ? path : "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin");
	struct str dir;

	while (rest.n) {
		str_cut(rest, ':', &dir, &rest);
		int n = snprintf(out, 512, "%" STR_FMT "/%s", STR_ARG(dir), name);
		if (dir.n && n < 512 && access(out, X_OK) == 0)
			return out;
	}
	return NULL;
}

static void log_end(const struct companion *c, const struct process_end *end)
{
	char how[48];

	/* A program that is called now and then is expected to end. */
	if (stopping || (c->every && !end->signalled && end->code == 0))
		return;
	snprintf(how, sizeof(how),
		 end->signalled ? "was killed by signal %d" : "exited with status %d", end->code);
	log_event(LOG_COMPANION_ENDED, LOG_CSTR("name", c->name), LOG_CSTR("how", how));
}

/* 0, or -errno: it could not be started. */
static int may_suspend run_once(struct life *l)
{
	struct process_spec spec = { .path = l->path,
				     .argv = l->companion->argv,
				     .env = (const char *const *)environ };
	struct process_end end;
	struct err err;
	int r = process_spawn(&spec, &l->process, &err);

	if (r < 0) {
		log_event(LOG_COMPANION_FAILED, LOG_CSTR("name", l->companion->name),
			  LOG_REASON(&err));
		return r;
	}
	l->alive = true;
	while (process_wait(&l->process, LOOP_FOREVER, &end) < 0)
		process_kill(&l->process, SIGKILL);
	l->alive = false;
	log_end(l->companion, &end);
	process_done(&l->process);
	waitq_wake_all(&ended);
	return 0;
}

static void live(void *arg)
{
	struct life *l = arg;
	struct restart_policy policy = { 0 };

	while (!stopping && !fiber_is_cancelled()) {
		int64_t born = loop_now();
		int r = run_once(l);
		int64_t pause = l->companion->every;
		if (r < 0 || !pause)
			pause = restart_pause(&policy, loop_now() - born);
		if (stopping || fiber_sleep(pause) < 0)
			break;
	}
}

void companions_start(const struct companion_list *list, struct group *g)
{
	static char paths[COMPANIONS_MAX][512];

	waitq_init(&ended);
	for (unsigned i = 0; i < list->count; i++) {
		const struct companion *c = &list->v[i];
		struct life *l = &lives[life_count];
		*l = (struct life){ .companion = c };
		l->path = find_program(c->program, paths[life_count]);
		if (!l->path) {
			log_event(LOG_COMPANION_MISSING, LOG_CSTR("setting", c->setting),
				  LOG_CSTR("program", c->program));
			continue;
		}
		life_count++;
		log_event(LOG_COMPANION_STARTED, LOG_CSTR("name", c->name));
		check(fiber_spawn(g, c->name, live, l) == 0);
	}
}

bool companions_have_process(pid_t pid)
{
	for (unsigned i = 0; i < life_count; i++)
		if (lives[i].alive && lives[i].process.pid == pid)
			return true;
	return false;
}

static bool any_alive(void)
{
	for (unsigned i = 0; i < life_count; i++)
		if (lives[i].alive)
			return true;
	return false;
}

static void kill_all(int signal)
{
	for (unsigned i = 0; i < life_count; i++)
		if (lives[i].alive)
			process_kill(&lives[i].process, signal);
}

void companions_stop(int64_t deadline)
{
	stopping = true;
	kill_all(SIGTERM);
	while (any_alive())
		if (waitq_wait(&ended, "companions to end", deadline) < 0)
			break;
	kill_all(SIGKILL);
}
