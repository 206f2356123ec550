#include "courier/connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/io.h"
#include "core/loop.h"
#include "core/networks.h"
#include "courier/config.h"

/* RFC 8305 5: Connection Attempt Delay. */
#define ATTEMPT_DELAY_MS 250

/* Addresses of one host that are looked at. */
#define RACE_MAX 16

void endpoint_set_ip(struct endpoint *e, struct str bytes, uint16_t port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&e->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&e->address;

	*e = (struct endpoint){ 0 };
	if (bytes.n == 4) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, bytes.p, 4);
		e->size = sizeof(*four);
	} else {
		check(bytes.n == 16);
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		memcpy(&six->sin6_addr, bytes.p, 16);
		e->size = sizeof(*six);
	}
	address_write(bytes.n == 16, bytes.p, e->text);
}

void endpoint_set_path(struct endpoint *e, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&e->address;

	*e = (struct endpoint){ .size = sizeof(*un) };
	un->sun_family = AF_UNIX;
	snprintf(un->sun_path, sizeof(un->sun_path), "%s", path);
	snprintf(e->text, sizeof(e->text), "%s", path);
}

void endpoints_sort(struct endpoint *list, size_t n)
{
	int wanted = AF_INET6;

	for (size_t i = 0; i < n; i++) {
		size_t k = i;
		while (k < n && list[k].address.ss_family != wanted)
			k++;
		wanted = wanted == AF_INET6 ? AF_INET : AF_INET6;
		if (k == n)
			continue;
		struct endpoint e = list[k];
		memmove(&list[i + 1], &list[i], (k - i) * sizeof(*list));
		list[i] = e;
	}
}

struct race {
	const struct courier_config *config;
	struct waitq news;
	unsigned running;
	int winner; /* index, or -1 */
	int fd;
	int error; /* of the last that failed */
};

struct runner {
	struct race *race;
	struct endpoint *endpoint;
	int index;
};

static int bind_source(const struct courier_config *config, int fd, int family)
{
	struct str text = family == AF_INET6 ? config->bind6 : config->bind4;
	struct sockaddr_storage ss = { .ss_family = (sa_family_t)family };
	socklen_t size =
		family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	void *bytes = family == AF_INET6 ? (void *)&((struct sockaddr_in6 *)&ss)->sin6_addr
					 : (void *)&((struct sockaddr_in *)&ss)->sin_addr;

	if (family == AF_UNIX || !text.n)
		return 0;
	if (inet_pton(family, text.p, bytes) != 1)
		return -EINVAL;
	return bind(fd, (struct sockaddr *)&ss, size) < 0 ? -errno : 0;
}

static int may_suspend wait_connected(struct io *io, int64_t deadline)
{
	int error = 0;
	socklen_t size = sizeof(error);

	int r = io_wait_writable(io, deadline);
	if (r < 0)
		return r;
	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

/* The connection, or -errno. */
static int may_suspend connect_one(const struct courier_config *config, const struct endpoint *e)
{
	int family = e->address.ss_family, one = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	struct io io;
	io_init(&io, fd);
	int r = bind_source(config, fd, family);
	if (family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (r == 0 && connect(fd, (const struct sockaddr *)&e->address, e->size) < 0)
		r = errno == EINPROGRESS ? wait_connected(&io, loop_deadline(config->times.connect))
					 : -errno;
	if (r == 0)
		return io_release(&io);
	io_done(&io);
	return r;
}

static void run(void *arg)
{
	struct runner *runner = arg;
	struct race *race = runner->race;
	int fd = connect_one(race->config, runner->endpoint);

	race->running--;
	/* Who did not lose by himself may run again. */
	if (race->winner >= 0 || fd == -ECANCELED)
		runner->endpoint->tried = false;
	if (fd < 0) {
		race->error = fd;
	} else if (race->winner >= 0) {
		close(fd);
	} else {
		race->winner = runner->index;
		race->fd = fd;
	}
	waitq_wake_all(&race->news);
}

/* Begin with the next one, if there is one. */
static bool begin_next(struct race *race, struct group *g, struct runner *runners, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (runners[i].endpoint->tried)
			continue;
		runners[i].endpoint->tried = true;
		race->running++;
		if (fiber_spawn(g, "connect", run, &runners[i]) == 0)
			return true;
		race->running--;
		race->error = -EAGAIN;
	}
	return false;
}

/* Until one has won, or all have lost. */
static int may_suspend run_race(struct race *race, struct runner *runners, size_t n)
{
	struct group g;
	bool more = true;
	int r = 0;

	group_init(&g);
	while (race->winner < 0 && r != -ECANCELED) {
		if (more)
			more = begin_next(race, &g, runners, n);
		if (race->running == 0)
			break;
		unsigned before = race->running;
		while (race->winner < 0 && race->running == before && r == 0)
			r = waitq_wait(&race->news, "a connection",
				       loop_deadline(more ? ATTEMPT_DELAY_MS
							  : race->config->times.connect));
		/* A deadline of the whole attempt ends the race, that of a start does not. */
		if (r == -ETIMEDOUT)
			r = more ? 0 : -ECANCELED;
	}
	group_done(&g);
	return r;
}

/* The only endpoint that was not tried, or NULL: there are none or several. */
static struct endpoint *find_only(struct endpoint *list, size_t n)
{
	struct endpoint *only = NULL;

	for (size_t i = 0; i < n; i++) {
		if (list[i].tried)
			continue;
		if (only)
			return NULL;
		only = &list[i];
	}
	return only;
}

/* It has nobody to race against, and needs no fiber for that. */
static void may_suspend connect_only(struct race *race, struct endpoint *list,
				     struct endpoint *only)
{
	int fd = connect_one(race->config, only);

	only->tried = fd != -ECANCELED;
	if (fd < 0) {
		race->error = fd;
	} else {
		race->winner = (int)(only - list);
		race->fd = fd;
	}
}

int endpoints_connect(const struct courier_config *config, struct endpoint *list, size_t n, int *fd,
		      struct err *err)
{
	struct runner runners[RACE_MAX];
	struct race race = { .config = config, .winner = -1, .error = -ENOENT };

	if (n > RACE_MAX)
		n = RACE_MAX;
	for (size_t i = 0; i < n; i++)
		runners[i] = (struct runner){ &race, &list[i], (int)i };
	waitq_init(&race.news);
	struct endpoint *only = find_only(list, n);
	int r = 0;
	if (only)
		connect_only(&race, list, only);
	else
		r = run_race(&race, runners, n);
	if (race.winner < 0 && fiber_is_cancelled())
		return err_set(err, -ECANCELED, "this server is stopping");
	if (race.winner < 0)
		return err_set(err, race.error, "%s",
			       race.error == -ETIMEDOUT || (r < 0 && race.error == -ENOENT)
				       ? "Connection timed out"
				       : strerror(-race.error));
	*fd = race.fd;
	return race.winner;
}
