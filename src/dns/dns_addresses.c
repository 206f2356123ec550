/* The addresses of a host, of the world or of the surroundings. */
#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/loop.h"
#include "core/work.h"
#include "dns/dns_server_private.h"

/* What an operator wrote in a file may be changed at any time. */
#define LOCAL_TTL 60

struct half {
	dns_ask_fn *ask;
	struct str name;
	uint32_t type;
	struct arena *a;
	struct dns_outcome outcome;
	int result;
};

static void ask_half(void *arg)
{
	struct half *h = arg;

	h->result = h->ask(h->name, h->type, h->a, &h->outcome);
}

/* Both answers say that there is nothing, or are failures: the worse of them counts. */
static void join_nothing(const struct dns_outcome *a, const struct dns_outcome *b,
			 struct dns_addresses_out *out)
{
	static const unsigned weight[] = {
		[DNS_NXDOMAIN] = 0,
		[DNS_NODATA] = 1,
		[DNS_TEMPFAIL] = 2,
		[DNS_BOGUS] = 3,
	};
	const struct dns_outcome *worse =
		weight[a->reply.status] >= weight[b->reply.status] ? a : b;

	*out = (struct dns_addresses_out){
		.status = (uint8_t)worse->reply.status,
		.secure = a->secure && b->secure,
		.name = worse->reply.name,
		.ttl = a->reply.ttl < b->reply.ttl ? a->reply.ttl : b->reply.ttl,
		.reason = worse->reason,
	};
}

static void add_found(const struct dns_outcome *o, size_t length, struct dns_addresses_out *out)
{
	if (o->reply.status != DNS_FOUND)
		return;
	if (!out->addresses_count || o->reply.ttl < out->ttl)
		out->ttl = o->reply.ttl;
	out->secure = o->secure && (out->secure || !out->addresses_count);
	out->name = o->reply.name;
	for (size_t i = 0; i < o->reply.count; i++) {
		if (o->reply.records[i].data.n == length)
			out->addresses[out->addresses_count++].bytes = o->reply.records[i].data;
	}
}

static void join(const struct dns_outcome *a, const struct dns_outcome *aaaa, struct arena *memory,
		 struct dns_addresses_out *out)
{
	if (a->reply.status != DNS_FOUND && aaaa->reply.status != DNS_FOUND) {
		join_nothing(a, aaaa, out);
		return;
	}
	*out = (struct dns_addresses_out){
		.status = DNS_FOUND,
		.addresses = ARENA_NEW_ARRAY(memory, struct dns_address,
					     a->reply.count + aaaa->reply.count),
	};
	add_found(a, 4, out);
	add_found(aaaa, 16, out);
}

int dns_ask_addresses(dns_ask_fn *ask, struct str name, struct arena *a,
		      struct dns_addresses_out *out)
{
	struct half v4 = { .ask = ask, .name = name, .type = DNS_A, .a = a };
	struct half v6 = { .ask = ask, .name = name, .type = DNS_AAAA, .a = a };
	auto_group struct group g;

	group_init(&g);
	if (fiber_spawn(&g, "AAAA", ask_half, &v6) < 0)
		v6.outcome = (struct dns_outcome){ .reply.status = DNS_TEMPFAIL,
						   .reason = STR("too many fibers") };
	ask_half(&v4);
	int r = group_join(&g, LOOP_FOREVER);
	if (r == 0)
		r = v4.result < 0 ? v4.result : v6.result;
	if (r < 0)
		return r;
	join(&v4.outcome, &v6.outcome, a, out);
	return 0;
}

struct local_files {
	struct str hosts, resolv;
	struct arena *a;
};

/* Read each time: they are small, seldom asked for, and change when they like. */
static int read_local_files(void *arg)
{
	struct local_files *f = arg;
	const struct dns_server_config *c = &dns_server.config;

	if (fd_read_file(c->hosts.p, f->a, HOSTS_FILE_MAX, &f->hosts, NULL) < 0)
		f->hosts = STR_NONE;
	if (fd_read_file(c->resolv.p, f->a, RESOLV_FILE_MAX, &f->resolv, NULL) < 0)
		f->resolv = STR_NONE;
	return 0;
}

static void say_found(struct str name, struct dns_address *addresses, size_t n,
		      struct dns_addresses_out *out)
{
	*out = (struct dns_addresses_out){
		.status = DNS_FOUND,
		.name = name,
		.ttl = LOCAL_TTL,
		.addresses = addresses,
		.addresses_count = n,
	};
}

/* One name in full. What is private is asked of the surroundings only; for the rest they may know
 * something that the world does not. */
static int may_suspend find_in_full(struct str name, struct arena *a, struct dns_addresses_out *out)
{
	const struct dns_server *s = &dns_server;
	struct dns_addresses_out near;
	struct dns_name parsed;
	bool is_private = dns_name_from_text(name, &parsed) == 0 && dns_name_is_private(&parsed);

	if (is_private && s->plain.state != SLOT_FAILED)
		return dns_ask_addresses(dns_ask_plain, name, a, out);
	int r = dns_ask_addresses(dns_ask_world, name, a, out);
	if (r < 0 || out->status == DNS_FOUND || out->status == DNS_BOGUS || s->forwarder_count ||
	    s->plain.state == SLOT_FAILED)
		return r;
	r = dns_ask_addresses(dns_ask_plain, name, a, &near);
	if (r == 0 && near.status == DNS_FOUND)
		*out = near;
	return r;
}

static unsigned count_dots(struct str name)
{
	unsigned n = 0;

	for (size_t i = 0; i < name.n; i++)
		n += name.p[i] == '.';
	return n;
}

static int may_suspend find_in_search(struct str name, const struct resolv_conf *conf,
				      struct arena *a, struct dns_addresses_out *out)
{
	for (size_t i = 0; i < conf->search_count; i++) {
		struct str full = arena_printf(a, "%" STR_FMT ".%" STR_FMT, STR_ARG(name),
					       STR_ARG(conf->search[i]));
		int r = dns_ask_addresses(dns_ask_plain, full, a, out);
		if (r < 0 || out->status == DNS_FOUND)
			return r;
	}
	return 0;
}

/* As resolv.conf(5): a name with many dots is tried as it is first, one with few in the search
 * domains. */
static int may_suspend find_by_search(struct str name, const struct resolv_conf *conf,
				      struct arena *a, struct dns_addresses_out *out)
{
	struct dns_addresses_out in_search = { .status = DNS_NXDOMAIN };
	bool whole = str_ends(name, STR(".")), full_first = count_dots(name) >= conf->ndots;
	int r = 0;

	if (whole || conf->search_count == 0)
		return find_in_full(name, a, out);
	if (!full_first)
		r = find_in_search(name, conf, a, &in_search);
	if (r == 0 && in_search.status != DNS_FOUND) {
		r = find_in_full(name, a, out);
		if (r < 0 || out->status == DNS_FOUND || !full_first)
			return r;
		r = find_in_search(name, conf, a, &in_search);
	}
	if (r == 0 && in_search.status == DNS_FOUND)
		*out = in_search;
	return r;
}

int dns_find_local(struct str name, struct arena *a, struct dns_addresses_out *out)
{
	struct local_files files = { .a = a };
	struct dns_address *addresses;
	struct resolv_conf conf;

	struct str bytes = address_bytes(name, a);
	if (bytes.n) {
		addresses = ARENA_NEW(a, struct dns_address);
		addresses->bytes = bytes;
		say_found(name, addresses, 1, out);
		return 0;
	}
	(void)!work_run(read_local_files, &files);
	size_t n = hosts_find(files.hosts, name, a, &addresses);
	if (n) {
		say_found(name, addresses, n, out);
		return 0;
	}
	resolv_conf_parse(files.resolv, &conf);
	return find_by_search(name, &conf, a, out);
}
