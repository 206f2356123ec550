#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "core/fiber.h"

/* Descriptors are moved out of the way of the numbers they get in the child. */
#define CHILD_FD_FIRST 3
#define PARKING_FD     64

#define RESTART_PAUSE_MIN 100
#define RESTART_PAUSE_MAX 30000
#define RESTART_LONG_LIFE 60000

static void set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	posix_spawnattr_init(attr);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &all);
	posix_spawnattr_setpgroup(attr, 0);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
					       POSIX_SPAWN_SETPGROUP);
}

/* Duplicates above every number that the child uses; closed again after the start. */
static int park_fds(const struct process_spec *spec, int *parked)
{
	for (unsigned i = 0; i < spec->fd_count; i++) {
		parked[i] = fcntl(spec->fds[i], F_DUPFD_CLOEXEC, PARKING_FD);
		if (parked[i] >= 0)
			continue;
		int saved = errno;
		while (i-- > 0)
			close(parked[i]);
		errno = saved;
		return -saved;
	}
	return 0;
}

static int spawn(const struct process_spec *spec, const int *parked, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;

	posix_spawn_file_actions_init(&actions);
	for (unsigned i = 0; i < spec->fd_count; i++)
		posix_spawn_file_actions_adddup2(&actions, parked[i], CHILD_FD_FIRST + (int)i);
	posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_FD_FIRST + (int)spec->fd_count);
	set_attributes(&attr);
	int r = posix_spawn(pid, spec->path, &actions, &attr, (char *const *)spec->argv,
			    (char *const *)spec->env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int process_spawn(const struct process_spec *spec, struct process *out, struct err *err)
{
	int parked[PROCESS_FDS_MAX];
	pid_t pid;

	check(spec->fd_count <= PROCESS_FDS_MAX);
	int r = park_fds(spec, parked);
	if (r < 0)
		return err_sys(err, "start %s", spec->path);
	r = spawn(spec, parked, &pid);
	for (unsigned i = 0; i < spec->fd_count; i++)
		close(parked[i]);
	errno = -r;
	if (r < 0)
		return err_sys(err, "start %s", spec->path);

	int fd = pidfd_open(pid, 0);
	if (fd < 0) {
		r = err_sys(err, "watch %s", spec->path);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return r;
	}
	out->pid = pid;
	io_init(&out->exited, fd);
	return 0;
}

int process_wait(struct process *p, int64_t deadline, struct process_end *out)
{
	for (;;) {
		siginfo_t info = { 0 };
		if (waitid(P_PIDFD, (id_t)p->exited.fd, &info, WEXITED | WNOHANG) == 0 &&
		    info.si_pid) {
			*out = (struct process_end){ .signalled = info.si_code != CLD_EXITED,
						     .code = info.si_status };
			return 0;
		}
		int r = io_wait_readable(&p->exited, deadline);
		if (r < 0)
			return r;
	}
}

void process_kill(const struct process *p, int signal)
{
	(void)pidfd_send_signal(p->exited.fd, signal, NULL, 0);
}

void process_done(struct process *p)
{
	io_done(&p->exited);
}

void process_reap_strangers(bool (*is_known)(pid_t pid))
{
	for (;;) {
		siginfo_t info = { 0 };
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || !info.si_pid ||
		    is_known(info.si_pid))
			return;
		(void)waitpid(info.si_pid, NULL, WNOHANG);
	}
}

int64_t restart_pause(struct restart_policy *p, int64_t life)
{
	if (life >= RESTART_LONG_LIFE)
		p->pause = 0;
	else if (p->pause == 0)
		p->pause = RESTART_PAUSE_MIN;
	else
		p->pause = p->pause * 2 < RESTART_PAUSE_MAX ? p->pause * 2 : RESTART_PAUSE_MAX;
	return p->pause;
}
