/* The roles here are this program under other names: they write down what they are given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/ipc.h"
#include "core/loop.h"
#include "core/sandbox.h"
#include "roles/children.h"
#include "roles/listeners.h"
#include "roles/role.h"

#define WORKERS 2

/* What the children write goes into the file that is their log. */
#define NOTES 4

static const char *const names[] = { "auth",	"resolver", "courier", "filter",
				     "mailbox", "queue",    "front" };

static struct ipc_server note_called(void)
{
	static const struct ipc_service nothing = { .name = "nothing" };

	dprintf(NOTES, "called\n");
	return (struct ipc_server){ .service = &nothing };
}

static void note_peer(struct str service, unsigned instance, int socket)
{
	dprintf(NOTES, "calls %" STR_FMT " %u\n", STR_ARG(service), instance);
	(void)socket; /* stays open until the process ends */
}

static const struct sandbox_policy *no_policy(void)
{
	static const struct sandbox_policy policy = { .profile = SANDBOX_FILES };

	return &policy;
}

static int start_nothing(struct group *g, struct err *err)
{
	(void)g, (void)err;
	return 0;
}

static int run_role(const char *name, int argc, char **argv)
{
	struct role role = {
		.name = name,
		.server = note_called,
		.peer = note_peer,
		.sandbox = no_policy,
		.start = start_nothing,
	};

	return role_main(&role, argc, argv);
}

struct world {
	char dir[64];
	int notes;
	struct listeners listeners;
	struct group fibers;
};

static int make_world(void **state)
{
	static struct world w;
	char self[256], name[128];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	w = (struct world){ .dir = "/tmp/test-children-XXXXXX" };
	if (n < 0 || !mkdtemp(w.dir))
		return -1;
	self[n] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(name, sizeof(name), "%s/posthorn-%s", w.dir, names[i]);
		if (symlink(self, name) < 0)
			return -1;
	}
	snprintf(name, sizeof(name), "%s/notes", w.dir);
	w.notes = open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	loop_init(LOOP_CLOCK_REAL);
	group_init(&w.fibers);
	*state = &w;
	return w.notes < 0 ? -1 : 0;
}

static int remove_world(void **state)
{
	struct world *w = *state;
	char name[128];

	if (fiber_count() > 0)
		return -1;
	loop_done();
	close(w->notes);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(name, sizeof(name), "%s/posthorn-%s", w->dir, names[i]);
		(void)unlink(name);
	}
	snprintf(name, sizeof(name), "%s/notes", w->dir);
	(void)unlink(name);
	return rmdir(w->dir);
}

static void start_and_stop(void *arg)
{
	/* LeakSanitizer cannot work behind the sandbox. */
	static const char *const env[] = { "OVERRIDE_HOSTNAME=mail.example.test",
					   "ASAN_OPTIONS=detect_leaks=0", NULL };
	struct world *w = arg;
	struct err err;
	struct children_config config = {
		.env = env,
		.directory = w->dir,
		.listeners = &w->listeners,
		.log_fd = w->notes,
		.workers = WORKERS,
	};

	assert_int_equal(children_start(&config, &w->fibers, &err), 0);
	assert_int_equal(children_wait_ready(loop_deadline(15000), &err), 0);
	children_stop(loop_deadline(30000));
	group_done(&w->fibers);
}

static unsigned count_notes(const struct world *w, const char *line)
{
	static char text[16384];
	unsigned count = 0;
	ssize_t n = pread(w->notes, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	for (const char *p = text; (p = strstr(p, line)); p += strlen(line))
		count++;
	return count;
}

static void two_roles_are_connected_once(void **state)
{
	struct world *w = *state;
	struct group main_group;

	group_init(&main_group);
	assert_int_equal(fiber_spawn(&main_group, "test", start_and_stop, w), 0);
	loop_run();

	/* Two fronts and the queue call auth and every worker; two fronts call the queue, the
	 * filter and the resolver, two workers auth and each other, the queue the courier and the
	 * filter, the courier the resolver and auth, the filter the resolver too. */
	assert_int_equal(count_notes(w, "calls auth 0\n"), 6);
	assert_int_equal(count_notes(w, "calls mailbox 0\n"), 4);
	assert_int_equal(count_notes(w, "calls mailbox 1\n"), 4);
	assert_int_equal(count_notes(w, "calls queue 0\n"), 2);
	assert_int_equal(count_notes(w, "calls courier 0\n"), 1);
	assert_int_equal(count_notes(w, "calls resolver 0\n"), 4);
	assert_int_equal(count_notes(w, "calls filter 0\n"), 3);
	assert_int_equal(count_notes(w, "called\n"), 24);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	if (name && strncmp(name, "/posthorn-", 10) == 0)
		return run_role(name + 10, argc, argv);

	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_roles_are_connected_once, make_world,
						remove_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
