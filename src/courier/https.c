#include "courier/https.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/stream.h"
#include "core/tls_client.h"
#include "courier/config.h"
#include "courier/connect.h"
#include "courier/http_response.h"
#include "dns/dns_client.h"

#define ADDRESSES_MAX 16
#define HEAD_MAX      ((size_t)16384)
#define IDLE_MS	      20000

static int may_suspend connect_to(const struct https_client *c, const struct https_question *q,
				  struct arena *a, struct err *err)
{
	struct dns_address_answer found;
	struct endpoint *list = ARENA_NEW_ARRAY(a, struct endpoint, ADDRESSES_MAX);
	size_t n = 0;
	int fd;

	if (dns_find_addresses(c->dns, str_from(q->host), false, a, &found) < 0)
		return err_set(err, -ECANCELED, "this server is stopping");
	for (size_t i = 0; i < found.count && n < ADDRESSES_MAX; i++) {
		struct str bytes = found.addresses[i].bytes;
		if ((bytes.n == 4 && c->config->ipv4) || (bytes.n == 16 && c->config->ipv6))
			endpoint_set_ip(&list[n++], bytes, q->port);
	}
	if (n == 0)
		return err_set(err, -EHOSTUNREACH, "%s has no address", q->host);
	endpoints_sort(list, n);
	int r = endpoints_connect(c->config, list, n, &fd, err);
	return r < 0 ? r : fd;
}

static int may_suspend read_answer(struct stream *s, const struct https_question *q,
				   struct arena *a, struct str *body, struct err *err)
{
	for (;;) {
		ssize_t n = stream_fill(s, q->max + HEAD_MAX);
		if (n == -ENOBUFS)
			return err_set(err, -EFBIG, "the document is too long");
		if (n < 0)
			return err_set(err, (int)n, "%s: %s", q->host, strerror((int)-n));
		int r = http_response_parse(stream_peek(s), n == 0, a, body, err);
		if (r == -EAGAIN)
			continue;
		if (r == 0 && body->n > q->max)
			return err_set(err, -EFBIG, "the document is too long");
		return r;
	}
}

int https_get(const struct https_client *c, const struct https_question *q, struct arena *a,
	      struct str *body, struct err *err)
{
	const char *names[] = { q->host };
	struct tls_expectation want = {
		.server_name = q->host, .names = names, .name_count = 1, .required = true
	};
	struct tls_verified verified;

	int fd = connect_to(c, q, a, err);
	if (fd < 0)
		return fd;
	auto_stream struct stream *s = stream_new(fd);
	stream_set_idle(s, IDLE_MS);
	int r = tls_connect(s, c->roots, &want, &verified, err);
	if (r < 0)
		return err_prefix(err, "%s", q->host);
	stream_printf(s,
		      "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Posthorn\r\n"
		      "Accept: text/plain\r\nConnection: close\r\n\r\n",
		      q->path, q->host);
	return read_answer(s, q, a, body, err);
}
