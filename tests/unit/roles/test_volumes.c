/* Root can give directories away and be refused as somebody else; others see less of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/settings.h"
#include "roles/volumes.h"

#define MAIL_USER 5000

struct world {
	char dir[64];
	struct arena memory;
	struct settings settings;
};

static struct str path_in(struct world *w, const char *name)
{
	return arena_printf(&w->memory, "%s/%s", w->dir, name);
}

static int make_world(void **state)
{
	static struct world w;

	w = (struct world){ .dir = "/tmp/test-volumes-XXXXXX", .memory = ARENA_INIT };
	if (!mkdtemp(w.dir) || chmod(w.dir, 0755) < 0)
		return -1;
	w.settings.vmail_uid = w.settings.vmail_gid = MAIL_USER;
	w.settings.fqdn = STR("mail.example.test");
	w.settings.config_dir = path_in(&w, "config");
	w.settings.mail_dir = path_in(&w, "mail");
	w.settings.state_dir = path_in(&w, "state/lib-posthorn");
	w.settings.log_dir = path_in(&w, "log");
	*state = &w;
	return 0;
}

static int remove_world(void **state)
{
	struct world *w = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", w->dir);
	arena_done(&w->memory);
	return system(command);
}

static void make_dir(const char *path, uid_t uid, mode_t mode)
{
	assert_int_equal(fd_make_dirs(path, 0755, NULL), 0);
	assert_int_equal(chmod(path, mode), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(path, uid, uid), 0);
}

static uid_t owner_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_uid;
}

static void make(struct world *w, struct volumes_owner *owner)
{
	struct err err;

	assert_int_equal(volumes_make(&w->settings, owner, &err), 0);
}

static void missing_directories_are_made(void **state)
{
	struct world *w = *state;
	struct volumes_owner owner;

	make(w, &owner);
	assert_int_equal(access(w->settings.mail_dir.p, F_OK), 0);
	assert_int_equal(access(w->settings.state_dir.p, F_OK), 0);
	assert_int_equal(owner.uid, geteuid() == 0 ? MAIL_USER : geteuid());
}

static void root_gives_away_what_is_empty(void **state)
{
	struct world *w = *state;
	struct volumes_owner owner;

	if (geteuid() != 0)
		skip();
	make_dir(w->settings.mail_dir.p, 0, 0755);
	make_dir(path_in(w, "mail/lost+found").p, 0, 0700);
	make(w, &owner);
	assert_int_equal(owner.uid, MAIL_USER);
	assert_int_equal(owner.gid, MAIL_USER);
	assert_int_equal(owner_of(w->settings.mail_dir.p), MAIL_USER);
	assert_int_equal(owner_of(w->settings.state_dir.p), MAIL_USER);
	assert_int_equal(owner_of(path_in(w, "state").p), MAIL_USER);
	assert_int_equal(owner_of(path_in(w, "mail/lost+found").p), 0);
}

static void root_keeps_its_hands_off_what_is_not(void **state)
{
	struct world *w = *state;
	struct volumes_owner owner;

	if (geteuid() != 0)
		skip();
	make_dir(path_in(w, "mail/example.test").p, 0, 0700);
	make(w, &owner);
	assert_int_equal(owner.uid, 0);
	assert_int_equal(owner_of(w->settings.mail_dir.p), 0);
	assert_int_equal(owner_of(path_in(w, "mail/example.test").p), 0);
}

static void the_owner_of_the_mail_is_the_user(void **state)
{
	struct world *w = *state;
	struct volumes_owner owner;

	if (geteuid() != 0)
		skip();
	make_dir(w->settings.mail_dir.p, 1234, 0700);
	make_dir(path_in(w, "state/lib-posthorn/journal").p, 0, 0700);
	make_dir(path_in(w, "log/old").p, 0, 0700);
	make(w, &owner);
	assert_int_equal(owner.uid, 1234);
	assert_int_equal(owner.gid, 1234);
	assert_int_equal(owner_of(w->settings.state_dir.p), 0);
	assert_int_equal(owner_of(w->settings.log_dir.p), 0);
	assert_int_equal(owner_of(w->settings.config_dir.p), 1234);
}

static void a_server_with_a_root_of_its_own_gives_nothing_away(void **state)
{
	struct world *w = *state;
	struct volumes_owner owner;

	w->settings.root = STR("/srv");
	make(w, &owner);
	assert_int_equal(owner.uid, geteuid());
	assert_int_equal(owner_of(w->settings.mail_dir.p), geteuid());
}

/* What volumes_check says to a user who is not root; "" when it is content. */
static const char *check_as_user(struct world *w)
{
	static char text[ERR_TEXT_MAX];
	struct err err = { .text = "" };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(MAIL_USER) < 0 || setuid(MAIL_USER) < 0))
			_exit(2);
		if (volumes_check(&w->settings, &err) < 0)
			(void)!write(fds[1], err.text, strlen(err.text));
		_exit(0);
	}
	close(fds[1]);
	ssize_t n = read(fds[0], text, sizeof(text) - 1);
	close(fds[0]);
	text[n > 0 ? n : 0] = '\0';
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return text;
}

static void make_all(struct world *w)
{
	make_dir(w->settings.config_dir.p, MAIL_USER, 0755);
	make_dir(w->settings.mail_dir.p, MAIL_USER, 0755);
	make_dir(w->settings.state_dir.p, MAIL_USER, 0755);
	make_dir(w->settings.log_dir.p, MAIL_USER, 0755);
}

static void good_volumes_pass(void **state)
{
	struct world *w = *state;

	make_all(w);
	assert_string_equal(check_as_user(w), "");
	make_dir(w->settings.config_dir.p, MAIL_USER, 0500);
	assert_string_equal(check_as_user(w), "");
}

static void every_directory_that_is_in_the_way_is_named(void **state)
{
	struct world *w = *state;

	make_all(w);
	make_dir(w->settings.mail_dir.p, 0, 0555);
	assert_non_null(strstr(check_as_user(w), "/mail (of "));
	make_dir(path_in(w, "state/lib-posthorn/journal").p, 0, 0555);
	const char *text = check_as_user(w);
	assert_non_null(strstr(text, "/mail (of "));
	assert_non_null(strstr(text, "/state/lib-posthorn/journal (of "));
	assert_null(strstr(text, "/log (of "));
	assert_non_null(strstr(text, "mode 555"));
	assert_non_null(strstr(text, "chown -R"));
}

static void a_log_that_cannot_be_written_is_named_with_others_only(void **state)
{
	struct world *w = *state;

	make_all(w);
	make_dir(w->settings.log_dir.p, 0, 0555);
	assert_string_equal(check_as_user(w), "");
	make_dir(w->settings.mail_dir.p, 0, 0555);
	assert_non_null(strstr(check_as_user(w), "/log (of "));
}

static void a_directory_that_cannot_be_made_names_the_one_above(void **state)
{
	struct world *w = *state;

	make_all(w);
	assert_int_equal(rmdir(w->settings.state_dir.p), 0);
	make_dir(path_in(w, "state").p, 0, 0555);
	assert_non_null(strstr(check_as_user(w), "/state (of "));
}

static void an_unreadable_key_is_named(void **state)
{
	struct world *w = *state;
	struct str cert = path_in(w, "cert"), key = path_in(w, "key");

	make_all(w);
	w->settings.ssl_type = SETTING_SSL_TYPE_MANUAL;
	w->settings.ssl_cert_path = cert;
	w->settings.ssl_key_path = key;
	assert_non_null(strstr(check_as_user(w), "cert cannot be read: No such file"));
	close(open(cert.p, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	close(open(key.p, O_WRONLY | O_CREAT | O_CLOEXEC, 0000));
	const char *text = check_as_user(w);
	assert_non_null(strstr(text, "/key (of "));
	assert_non_null(strstr(text, "cannot read"));
	assert_int_equal(chmod(key.p, 0444), 0);
	assert_string_equal(check_as_user(w), "");
}

#define VOLUMES_TEST(f) cmocka_unit_test_setup_teardown(f, make_world, remove_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VOLUMES_TEST(missing_directories_are_made),
		VOLUMES_TEST(root_gives_away_what_is_empty),
		VOLUMES_TEST(root_keeps_its_hands_off_what_is_not),
		VOLUMES_TEST(the_owner_of_the_mail_is_the_user),
		VOLUMES_TEST(a_server_with_a_root_of_its_own_gives_nothing_away),
		VOLUMES_TEST(good_volumes_pass),
		VOLUMES_TEST(every_directory_that_is_in_the_way_is_named),
		VOLUMES_TEST(a_log_that_cannot_be_written_is_named_with_others_only),
		VOLUMES_TEST(a_directory_that_cannot_be_made_names_the_one_above),
		VOLUMES_TEST(an_unreadable_key_is_named),
	};

	return cmocka_run_group_tests_name("roles/volumes", tests, NULL, NULL);
}
