/* Connections that come through a proxy: who the client is stands in a header before its first
 * byte. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/io.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/networks.h"
#include "core/proxy_header.h"
#include "core/settings.h"
#include "roles/front.h"

/* A proxy sends the header at once. */
#define HEADER_MS 10000

static int refuse(const struct front_client *c, enum metric m, const char *reason)
{
	metric_add(m, 1);
	log_event(LOG_PROXY_REFUSED, LOG_CSTR("service", c->port->name),
		  LOG_CSTR("address", c->address), LOG_CSTR("reason", reason));
	return -EPROTO;
}

/* The header stays in the socket until it is complete, so that not a byte behind it is taken:
 * the session begins on a connection like any other. Returns its length, or -errno. */
static int may_suspend wait_for_header(struct io *io, struct proxy_header *out)
{
	int64_t deadline = loop_deadline(HEADER_MS);
	char bytes[PROXY_HEADER_MAX];

	for (;;) {
		ssize_t n = recv(io->fd, bytes, sizeof(bytes), MSG_PEEK);
		if (n == 0)
			return -EPIPE;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		int r = n > 0 ? proxy_header_parse(str_of(bytes, (size_t)n), out) : 0;
		if (r == 0 && n == (ssize_t)sizeof(bytes))
			r = -EBADMSG;
		if (r == 0)
			r = io_wait_readable(io, deadline);
		if (r != 0)
			return r;
	}
}

static int take_header(struct io *io, int length)
{
	char bytes[PROXY_HEADER_MAX];

	return recv(io->fd, bytes, (size_t)length, 0) == length ? 0 : -EPIPE;
}

int front_proxy_read(struct front_client *c)
{
	struct proxy_header h;
	struct io io;

	if (!networks_hold(settings_get()->proxy_trusted, str_from(c->address)))
		return refuse(c, METRIC_PROXY_UNTRUSTED, "not in POSTHORN_PROXY_TRUSTED_NETWORKS");
	io_init(&io, c->fd);
	int r = wait_for_header(&io, &h);
	if (r > 0)
		r = take_header(&io, r);
	c->fd = io_release(&io);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return refuse(c, METRIC_PROXY_HEADERLESS,
			      r == -ETIMEDOUT ? "no PROXY header in time" : "no PROXY header");
	if (!h.local) {
		snprintf(c->address, sizeof(c->address), "%s", h.source);
		snprintf(c->local_address, sizeof(c->local_address), "%s", h.destination);
	}
	return 0;
}
