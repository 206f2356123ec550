#include "roles/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/local_socket.h"
#include "core/settings.h"

#define LISTEN_BACKLOG 1024

#define BIND_TRIES 40

#define PORT_MAX 65535

struct port {
	const char *role, *name;
	unsigned number;
	unsigned proxied; /* the second one, for proxies */
	enum setting_inet inet;
	bool enabled;
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* TCP_NODELAY is inherited by the connections: replies are collected by the
 * stream, not by the kernel. */
static int bind_socket(const union address *a, bool dual_stack, struct err *err)
{
	socklen_t n = a->any.sa_family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
	auto_close int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(err, "socket");
	(void)set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	(void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (a->any.sa_family == AF_INET6)
		(void)set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !dual_stack);
	if (bind(fd, &a->any, n) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
		return err_sys(err, "bind");
	return take_fd(&fd);
}

/* Right after a server was killed its ports may be held for a moment by processes that are just
 * ending. */
static int bind_patiently(const union address *a, bool dual_stack, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000000 };
	int r = -EADDRINUSE;

	for (int i = 0; i < BIND_TRIES && r == -EADDRINUSE; i++) {
		if (i)
			nanosleep(&pause, NULL);
		r = bind_socket(a, dual_stack, err);
	}
	return r;
}

/* The address that POSTHORN_LISTEN names, or the wildcard of a family. */
static bool make_address(const char *text, enum setting_inet inet, uint16_t port,
			 union address *out)
{
	memset(out, 0, sizeof(*out));
	if (text[0] ? inet_pton(AF_INET, text, &out->v4.sin_addr) == 1
		    : inet == SETTING_INET_IPV4) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		return true;
	}
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(port);
	return !text[0] || inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1;
}

static const char *advice(int error)
{
	switch (error) {
	case -EACCES:
		return "; allow it with the sysctl net.ipv4.ip_unprivileged_port_start=0, or move "
		       "all ports with POSTHORN_PORT_OFFSET";
	case -EADDRINUSE:
		return "; another server listens there";
	default:
		return "";
	}
}

static int open_port(const struct settings *set, const struct port *p, bool proxied,
		     struct listener *out, struct err *err)
{
	int64_t number = (proxied ? p->proxied : p->number) + set->port_offset;
	union address a;

	if (number > PORT_MAX)
		return err_set(err, -ERANGE,
			       "POSTHORN_PORT_OFFSET=%lld is too large: port %lld (%s) does not "
			       "exist",
			       (long long)set->port_offset, (long long)number, p->name);
	if (!make_address(set->listen.p, p->inet, (uint16_t)number, &a))
		return err_set(err, -EINVAL, "POSTHORN_LISTEN=%s is not an IP address",
			       set->listen.p);
	int fd = bind_patiently(&a, p->inet == SETTING_INET_ALL, err);
	if (fd == -EAFNOSUPPORT && p->inet == SETTING_INET_ALL) {
		/* A host without IPv6. */
		(void)make_address("", SETTING_INET_IPV4, (uint16_t)number, &a);
		fd = bind_patiently(&a, false, err);
	}
	if (fd < 0)
		return err_set(err, fd, "cannot listen on port %lld (%s): %s%s", (long long)number,
			       p->name, strerror(-fd), advice(fd));
	*out = (struct listener){ .role = p->role, .name = p->name, .proxied = proxied, .fd = fd };
	return 0;
}

int listeners_open(const struct settings *set, struct listeners *out, struct err *err)
{
	bool imap = set->enable_imap && !set->smtp_only;
	bool pop3 = set->enable_pop3 && !set->smtp_only;
	const struct port ports[] = {
		/* 10025 is taken where Amavis runs. */
		{ "front", "smtp", 25, 12525, set->smtp_inet, true },
		{ "front", "submission", 587, 10587, set->smtp_inet, true },
		{ "front", "submissions", 465, 10465, set->smtp_inet, true },
		{ "front", "imap", 143, 10143, set->mailbox_inet, imap },
		{ "front", "imaps", 993, 10993, set->mailbox_inet, imap },
		{ "front", "pop3", 110, 10110, set->mailbox_inet, pop3 },
		{ "front", "pop3s", 995, 10995, set->mailbox_inet, pop3 },
		{ "web", "web", (unsigned)set->web_port, 0, SETTING_INET_ALL, set->web_port > 0 },
	};
	int r = 0;

	out->count = 0;
	for (size_t i = 0; i < ARRAY_LEN(ports) && r == 0; i++) {
		if (!ports[i].enabled)
			continue;
		r = open_port(set, &ports[i], false, &out->v[out->count], err);
		out->count += r == 0;
		if (r == 0 && set->proxy_protocol && ports[i].proxied) {
			r = open_port(set, &ports[i], true, &out->v[out->count], err);
			out->count += r == 0;
		}
	}
	if (r < 0)
		listeners_close(out);
	return r;
}

int listeners_open_local(const struct settings *set, struct listeners *out, struct err *err)
{
	int fd = local_socket_listen(set->local_socket, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				     LISTEN_BACKLOG, err);

	if (fd < 0)
		return fd;
	out->v[out->count++] = (struct listener){ .role = "front", .name = "local", .fd = fd };
	return 0;
}

void listeners_close(struct listeners *l)
{
	while (l->count)
		close(l->v[--l->count].fd);
}
