#include "queue/route.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "queue/envelope.h"

/* sun_path has 108 bytes. */
#define SOCKET_MAX (sizeof("lmtp:unix:") - 1 + 107)

static struct str lower(struct arena *a, struct str s)
{
	char *p = arena_cstr(a, s);

	str_lower_bytes(p, s.n);
	return str_of(p, s.n);
}

/* "smtp:", "lmtp:" and the names that Postfix has for them. The prefix that we use, or empty. */
static struct str take_transport(struct str *text)
{
	struct str name, rest;

	if (!str_cut(*text, ':', &name, &rest))
		return STR_NONE;
	if (str_eq_nocase(name, STR("lmtp"))) {
		*text = str_starts_nocase(rest, STR("inet:")) ? str_skip(rest, 5) : rest;
		return STR("lmtp:");
	}
	if (str_eq_nocase(name, STR("smtp")) || str_eq_nocase(name, STR("relay")))
		*text = rest;
	return STR_NONE;
}

static bool is_port(struct str s)
{
	uint64_t port;

	return str_to_u64(s, 65535, &port) == 0 && port > 0;
}

static bool is_host(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= ' ' || c == 0x7f || c == '[' || c == ']' || c == '/')
			return false;
	}
	return s.n > 0;
}

/* "host", "host:port", "[host]" or "[host]:port". */
static bool is_place(struct str s)
{
	struct str host, rest;

	if (str_starts(s, STR("["))) {
		if (!str_cut(str_skip(s, 1), ']', &host, &rest) || !is_host(host))
			return false;
		return rest.n == 0 || (rest.p[0] == ':' && is_port(str_skip(rest, 1)));
	}
	bool ported = str_cut(s, ':', &host, &rest);
	return is_host(host) && (!ported || is_port(rest));
}

/* Where Postfix looks for what has no leading slash. */
#define POSTFIX_QUEUE_DIR "/var/spool/postfix/"

/* "lmtp:unix:" and the path of a socket on this machine. */
static int parse_socket(struct str path, struct arena *a, struct str *nexthop)
{
	bool absolute = str_starts(path, STR("/"));
	struct str text = arena_printf(a, "lmtp:unix:%s%" STR_FMT,
				       absolute ? "" : POSTFIX_QUEUE_DIR, STR_ARG(path));

	if (path.n == 0 || !str_is_printable(path) || text.n > SOCKET_MAX)
		return -EINVAL;
	*nexthop = text;
	return 0;
}

int route_parse(struct str text, struct arena *a, struct str *nexthop, struct err *err)
{
	struct str place = text, transport = take_transport(&place);

	if (transport.n && str_starts_nocase(place, STR("unix:"))) {
		if (parse_socket(str_skip(place, 5), a, nexthop) == 0)
			return 0;
		return err_set(err, -EINVAL, "%" STR_FMT ": not the path of a socket",
			       STR_ARG(text));
	}
	if (text.n > ROUTE_MAX || !is_place(place))
		return err_set(err, -EINVAL,
			       "%" STR_FMT ": not \"host\", \"[host]\" or \"host:port\", nor "
			       "\"lmtp:\" with one of these or \"unix:/path\"",
			       STR_ARG(text));
	place = lower(a, place);
	*nexthop = arena_printf(a, "%" STR_FMT "%" STR_FMT, STR_ARG(transport), STR_ARG(place));
	return 0;
}

struct str route_find(const struct route_config *c, struct str sender_relay,
		      const struct envelope_recipient *r, struct arena *a)
{
	if (r->kind == ENVELOPE_MAILBOX)
		return c->agent;
	if (sender_relay.n)
		return sender_relay;
	if (c->relay.n)
		return c->relay;
	return lower(a, str_skip(r->address, (size_t)(str_rfind_byte(r->address, '@') + 1)));
}
