#include "courier/nexthop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "dns/idna.h"

static const struct {
	struct str name;
	uint16_t port;
} services[] = {
	{ STR_INIT("smtp"), 25 },	  { STR_INIT("submission"), 587 },
	{ STR_INIT("submissions"), 465 }, { STR_INIT("smtps"), 465 },
	{ STR_INIT("lmtp"), 24 },
};

static int parse_port(struct str text, uint16_t *port)
{
	uint64_t n;

	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		if (!str_eq_nocase(text, services[i].name))
			continue;
		*port = services[i].port;
		return 0;
	}
	if (str_to_u64(text, 65535, &n) < 0 || n == 0)
		return -EINVAL;
	*port = (uint16_t)n;
	return 0;
}

static bool is_host_byte(unsigned char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '.' || c == '_';
}

static int set_host(struct nexthop *out, struct str host)
{
	auto_arena struct arena a = ARENA_INIT;
	struct in6_addr six;

	if (out->literal && str_starts_nocase(host, STR("ipv6:")))
		host = str_skip(host, 5);
	if (host.n && host.p[host.n - 1] == '.')
		host = str_sub(host, 0, host.n - 1);
	if (idna_to_ascii(host, &a, &host) < 0)
		return -EILSEQ;
	if (host.n == 0 || host.n > NEXTHOP_HOST_MAX)
		return -EINVAL;
	snprintf(out->host, sizeof(out->host), "%" STR_FMT, STR_ARG(host));
	str_lower_bytes(out->host, host.n);
	bool is_address = inet_pton(AF_INET, out->host, &six) == 1 ||
			  inet_pton(AF_INET6, out->host, &six) == 1;
	for (size_t i = 0; i < host.n && !is_address; i++)
		if (!is_host_byte((unsigned char)host.p[i]))
			return -EINVAL;
	/* Without brackets an address would be a domain, and no domain looks like one. */
	out->literal = is_address;
	out->mx = out->mx && !is_address;
	return 0;
}

/* "[host]" or "[host]:port" */
static int parse_bracketed(struct str text, struct nexthop *out)
{
	ssize_t end = str_find_byte(text, ']');

	if (end < 0)
		return -EINVAL;
	struct str behind = str_skip(text, (size_t)end + 1);
	if (behind.n && behind.p[0] != ':')
		return -EINVAL;
	if (behind.n && parse_port(str_skip(behind, 1), &out->port) < 0)
		return -EINVAL;
	out->literal = true; /* "IPv6:" may stand there */
	out->mx = false;
	return set_host(out, str_sub(text, 1, (size_t)end - 1));
}

static int parse_socket(struct str text, struct nexthop *out)
{
	struct str path = str_skip(text, 5);

	/* sun_path has 108 bytes. */
	if (path.n == 0 || path.n > 107 || path.p[0] != '/' || !str_is_printable(path))
		return -EINVAL;
	snprintf(out->host, sizeof(out->host), "%" STR_FMT, STR_ARG(path));
	out->local = true;
	out->mx = false;
	return 0;
}

static int parse(struct str text, struct nexthop *out)
{
	struct str host = text, port;

	if (str_starts(text, STR("unix:")))
		return parse_socket(text, out);
	if (str_starts(text, STR("inet:")))
		text = str_skip(text, 5);
	if (text.n && text.p[0] == '[')
		return parse_bracketed(text, out);
	ssize_t colon = str_rfind_byte(text, ':');
	if (colon >= 0) {
		host = str_sub(text, 0, (size_t)colon);
		port = str_skip(text, (size_t)colon + 1);
		if (parse_port(port, &out->port) < 0)
			return -EINVAL;
	} else {
		host = text;
	}
	return set_host(out, host);
}

int nexthop_parse(struct str text, struct nexthop *out, struct err *err)
{
	struct nexthop n = { .mx = true };
	struct str rest = text;

	if (str_starts(text, STR("lmtp:"))) {
		/* There are no MX records for LMTP. */
		n = (struct nexthop){ .lmtp = true };
		rest = str_skip(text, 5);
	} else if (str_starts(text, STR("smtp:"))) {
		rest = str_skip(text, 5);
	}
	n.text = rest;
	int r = parse(rest, &n);
	if (r < 0)
		return err_set(err, r, "next hop %" STR_FMT " cannot be understood", STR_ARG(text));
	*out = n;
	return 0;
}
