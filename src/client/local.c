#include "client/local.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/err.h"
#include "base/fd.h"
#include "core/settings.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Connecting is limited by the second. */
static int set_limit(int fd, unsigned seconds)
{
	const struct timeval limit = { .tv_sec = seconds };
	int r = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));

	return r < 0 ? r : setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int connect_to(const char *host, uint16_t port, unsigned seconds, struct err *err)
{
	union address a = { 0 };
	socklen_t n = sizeof(a.v4);

	if (inet_pton(AF_INET, host, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, host, &a.v6.sin6_addr) == 1) {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons(port);
		n = sizeof(a.v6);
	} else {
		return err_set(err, -EINVAL, "POSTHORN_LISTEN=%s is not an IP address", host);
	}
	auto_close int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "socket");
	if (set_limit(fd, seconds) < 0)
		return err_sys(err, "socket");
	if (connect(fd, &a.any, n) < 0)
		return err_sys(err, "%s port %u", host, port);
	return take_fd(&fd);
}

int local_open(struct local *l, const struct settings *set, unsigned port, unsigned seconds,
	       struct err *err)
{
	uint16_t number = (uint16_t)(port + (unsigned)set->port_offset);

	l->begin = l->end = 0;
	if (set->listen.n) {
		l->fd = connect_to(set->listen.p, number, seconds, err);
	} else {
		l->fd = connect_to("127.0.0.1", number, seconds, err);
		/* Where it listens for IPv6 alone. */
		if (l->fd == -ECONNREFUSED)
			l->fd = connect_to("::1", number, seconds, err);
	}
	return l->fd < 0 ? l->fd : 0;
}

int local_open_path(struct local *l, struct str path, unsigned seconds, struct err *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	l->begin = l->end = 0;
	if (path.n >= sizeof(name.sun_path))
		return err_set(err, -ENAMETOOLONG, "%s: too long for a socket", path.p);
	memcpy(name.sun_path, path.p, path.n);
	if (fd < 0 || set_limit(fd, seconds) < 0)
		return err_sys(err, "socket");
	if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0)
		return err_sys(err, "%s", path.p);
	l->fd = take_fd(&fd);
	return 0;
}

void local_close(struct local *l)
{
	close(l->fd);
	l->fd = -1;
}

int local_write(struct local *l, struct str s, struct err *err)
{
	while (s.n) {
		ssize_t n = send(l->fd, s.p, s.n, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return err_sys(err, "send");
		if (n > 0)
			s = str_skip(s, (size_t)n);
	}
	return 0;
}

/* More behind what is there. */
static int fill(struct local *l, struct err *err)
{
	ssize_t n;

	if (l->begin) {
		memmove(l->input, l->input + l->begin, l->end - l->begin);
		l->end -= l->begin;
		l->begin = 0;
	}
	if (l->end == sizeof(l->input))
		return err_set(err, -E2BIG, "the server sent a line of more than %d bytes",
			       LOCAL_INPUT_MAX);
	do
		n = recv(l->fd, l->input + l->end, sizeof(l->input) - l->end, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, "receive");
	if (n == 0)
		return err_set(err, -EPIPE, "the server has hung up");
	l->end += (size_t)n;
	return 0;
}

int local_read_line(struct local *l, struct str *out, struct err *err)
{
	for (;;) {
		struct str all = str_of(l->input + l->begin, l->end - l->begin);
		ssize_t lf = str_find_byte(all, '\n');
		if (lf >= 0) {
			*out = str_chomp(str_sub(all, 0, (size_t)lf + 1));
			l->begin += (size_t)lf + 1;
			return 0;
		}
		int r = fill(l, err);
		if (r < 0)
			return r;
	}
}
