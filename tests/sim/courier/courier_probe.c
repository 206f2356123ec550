/* A courier between two scripts: the queue's side is standard input (a socket), one line per
 * message, and the resolver answers from a file.
 *
 *	courier_probe ZONE < commands
 *
 * A command: nexthop, sender, flags, envid, file, and the recipients, separated by tabs; a
 * recipient is its address, then perhaps "|", its NOTIFY as a number, "|", and its ORCPT. The
 * answer: one line of outcome, status and text for each recipient, then one of "=", relay, tls,
 * trouble and dsn. "&" before a command lets it run beside the next ones.
 *
 * A line of the zone: name, type, then flags ("secure", "tempfail", "bogus", "nxdomain", or
 * "found"), then the data as it is written in a zone file. Of a name with other types there is
 * NODATA, of others NXDOMAIN. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/auth_ipc.h"
#include "auth/relay_logins.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/settings.h"
#include "core/stream.h"
#include "core/work.h"
#include "courier/courier_ipc.h"
#include "courier/courier_server.h"
#include "courier/own_addresses.h"
#include "dns/dns.h"
#include "dns/dns_ipc.h"

#define LINE_MAX_BYTES 200000

static const char *zone;
static struct courier *courier;
static struct ipc_client *queue;
static struct stream *input;

static const struct {
	const char *name;
	uint32_t type;
} types[] = { { "A", DNS_A },	      { "AAAA", DNS_AAAA }, { "MX", DNS_MX },
	      { "CNAME", DNS_CNAME }, { "TXT", DNS_TXT },   { "TLSA", DNS_TLSA } };

static void put_name(struct buf *b, struct str name)
{
	while (name.n) {
		struct str label, rest;
		if (!str_cut(name, '.', &label, &rest))
			label = name;
		if (!label.n)
			break;
		buf_putc(b, (char)label.n);
		buf_put_str(b, label);
		name = rest;
	}
	buf_putc(b, '\0');
}

static uint64_t number(struct str *rest)
{
	struct str word;
	uint64_t n = 0;

	if (!str_next_word(rest, &word) || str_to_u64(word, UINT32_MAX, &n) < 0)
		abort();
	return n;
}

static struct str rdata(uint32_t type, struct str rest, struct arena *a)
{
	struct str word;
	unsigned char bytes[16];
	struct buf b;
	uint64_t n;

	buf_init(&b, a, 65536);
	rest = str_trim(rest);
	switch (type) {
	case DNS_MX:
		n = number(&rest);
		buf_putc(&b, (char)(n >> 8));
		buf_putc(&b, (char)n);
		put_name(&b, str_trim(rest));
		break;
	case DNS_TLSA:
		for (int i = 0; i < 3; i++)
			buf_putc(&b, (char)number(&rest));
		if (!str_next_word(&rest, &word) || hex_parse(word, &b) < 0)
			abort();
		break;
	case DNS_TXT:
		buf_putc(&b, (char)rest.n);
		buf_put_str(&b, rest);
		break;
	case DNS_A:
	case DNS_AAAA:
		if (inet_pton(type == DNS_A ? AF_INET : AF_INET6, arena_cstr(a, rest), bytes) != 1)
			abort();
		buf_put(&b, bytes, type == DNS_A ? 4 : 16);
		break;
	default:
		put_name(&b, rest);
	}
	return buf_str(&b);
}

#define RECORDS_MAX 64

struct finding {
	uint8_t status;
	bool secure;
	struct str name;
	struct str records[RECORDS_MAX];
	size_t count;
};

static void look(struct str text, struct str name, uint32_t type, struct arena *a,
		 struct finding *f)
{
	*f = (struct finding){ .status = DNS_NXDOMAIN, .name = name };
	STR_FOREACH_LINE (text, line) {
		struct str owner, kind, flag, rest = line;
		if (!str_next_word(&rest, &owner) || !str_next_word(&rest, &kind) ||
		    !str_next_word(&rest, &flag) || !str_eq_nocase(owner, f->name))
			continue;
		if (f->status == DNS_NXDOMAIN)
			f->status = DNS_NODATA;
		uint32_t t = 0;
		for (size_t i = 0; i < ARRAY_LEN(types); i++)
			if (str_eq(kind, str_from(types[i].name)))
				t = types[i].type;
		f->secure |= str_eq(flag, STR("secure"));
		if (t == DNS_CNAME && type != DNS_CNAME) {
			look(text, arena_str(a, str_trim(rest)), type, a, f);
			return;
		}
		if (t != type || f->count == RECORDS_MAX)
			continue;
		f->status = str_eq(flag, STR("tempfail"))   ? DNS_TEMPFAIL
			    : str_eq(flag, STR("bogus"))    ? DNS_BOGUS
			    : str_eq(flag, STR("nxdomain")) ? DNS_NXDOMAIN
							    : DNS_FOUND;
		if (f->status == DNS_FOUND)
			f->records[f->count++] = rdata(type, rest, a);
	}
}

static struct str read_zone(struct arena *a)
{
	struct str text = STR_NONE;
	struct err err;

	if (fd_read_file(zone, a, 1 << 20, &text, &err) < 0)
		abort();
	return text;
}

static int answer_query(void *ctx, struct dns_query_in *in, struct arena *a,
			struct dns_query_out *out, struct err *err)
{
	struct finding *f = ARENA_NEW(a, struct finding);
	(void)ctx, (void)err;

	look(read_zone(a), in->name, in->type, a, f);
	out->status = f->status;
	out->secure = f->secure;
	out->name = f->name;
	out->reason = STR("as the zone says");
	out->records = ARENA_NEW_ARRAY(a, struct dns_record, f->count);
	for (size_t i = 0; i < f->count; i++)
		out->records[out->records_count++].data = f->records[i];
	return 0;
}

static int answer_addresses(void *ctx, struct dns_addresses_in *in, struct arena *a,
			    struct dns_addresses_out *out, struct err *err)
{
	struct finding *four = ARENA_NEW(a, struct finding), *six = ARENA_NEW(a, struct finding);
	struct str text = read_zone(a);
	(void)ctx, (void)err;

	look(text, in->name, DNS_AAAA, a, six);
	look(text, in->name, DNS_A, a, four);
	out->status = six->count ? six->status : four->status;
	out->secure = four->secure;
	out->name = four->name;
	out->reason = STR("as the zone says");
	out->addresses = ARENA_NEW_ARRAY(a, struct dns_address, four->count + six->count);
	for (size_t i = 0; i < six->count; i++)
		out->addresses[out->addresses_count++].bytes = six->records[i];
	for (size_t i = 0; i < four->count; i++)
		out->addresses[out->addresses_count++].bytes = four->records[i];
	return 0;
}

/* What the file says of the sender, else of the next hop. */
static int answer_login(void *ctx, struct auth_relay_login_in *in, struct arena *a,
			struct auth_relay_login_out *out, struct err *err)
{
	struct relay_logins t = { 0 };
	struct str text = STR_NONE;
	struct str path =
		settings_path(settings_get(), a, "/tmp/docker-mailserver/postfix-sasl-password.cf");
	(void)ctx;

	if (fd_read_file(path.p, a, 1 << 20, &text, err) < 0)
		return 0;
	relay_logins_parse(&t, a, text, NULL);
	const struct relay_login *l = relay_logins_of_sender(&t, in->sender);
	if (!l)
		l = relay_logins_of_nexthop(&t, in->nexthop);
	if (l) {
		out->user = arena_str(a, l->user);
		out->password = arena_str(a, l->password);
	}
	relay_logins_done(&t);
	return 0;
}

static struct str next_field(struct str *rest)
{
	struct str field, more;

	if (!str_cut(*rest, '\t', &field, &more)) {
		field = *rest;
		more = STR_NONE;
	}
	*rest = more;
	return field;
}

static void parse_recipient(struct str text, struct courier_recipient *r)
{
	struct str notify, rest;
	uint64_t n;

	*r = (struct courier_recipient){ .address = text };
	if (!str_cut(text, '|', &r->address, &rest))
		return;
	str_cut(rest, '|', &notify, &r->orcpt);
	if (str_to_u64(notify, 255, &n) < 0)
		abort();
	r->notify = (uint8_t)n;
}

static void run_command(struct str line)
{
	static uint64_t ids; /* each command is about a message of its own */
	auto_arena struct arena a = ARENA_INIT;
	struct courier_deliver_in in = { 0 };
	struct courier_deliver_out out;
	struct err err;
	struct stat st;
	uint64_t flags = 0;

	line = arena_str(&a, line);
	in.nexthop = next_field(&line);
	in.sender = next_field(&line);
	if (str_to_u64(next_field(&line), UINT32_MAX, &flags) < 0)
		abort();
	in.flags = (uint32_t)flags;
	in.id = ++ids;
	in.envid = next_field(&line);
	auto_close int fd = open(arena_cstr(&a, next_field(&line)), O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		abort();
	in.segment = fd;
	in.length = (uint64_t)st.st_size;
	in.recipients = ARENA_NEW_ARRAY(&a, struct courier_recipient, 2000);
	while (line.n)
		parse_recipient(next_field(&line), &in.recipients[in.recipients_count++]);

	int r = courier_deliver(queue, &in, &a, &out, &err);
	if (r < 0) {
		stream_printf(input, "!\t%s\n", err.text);
		return;
	}
	for (size_t i = 0; i < out.results_count; i++)
		stream_printf(input, "%d\t%" STR_FMT "\t%" STR_FMT "\n", out.results[i].outcome,
			      STR_ARG(out.results[i].status), STR_ARG(out.results[i].text));
	stream_printf(input, "=\t%" STR_FMT "\t%" STR_FMT "\t%d\t%d\n", STR_ARG(out.relay),
		      STR_ARG(out.tls), out.trouble, out.dsn);
	(void)!stream_flush(input);
}

struct beside {
	struct str line;
};

static void run_beside(void *arg)
{
	struct beside *b = arg;

	run_command(b->line);
	free((void *)(uintptr_t)b->line.p);
	free(b);
}

static void main_fiber(void *arg)
{
	struct group *calls = arg;
	struct str line;

	while (stream_read_line(input, LINE_MAX_BYTES, &line) == 0) {
		line = str_chomp(line);
		if (line.n && line.p[0] == '&') {
			struct beside *b = malloc(sizeof(*b));
			char *copy = malloc(line.n);
			if (!b || !copy)
				abort();
			memcpy(copy, line.p + 1, line.n - 1);
			b->line = str_of(copy, line.n - 1);
			if (fiber_spawn(calls, "beside", run_beside, b) < 0)
				abort();
			continue;
		}
		run_command(line);
	}
	(void)!group_join(calls, LOOP_FOREVER);
}

static void whole(void *arg)
{
	static const struct dns_ops dns_ops = { .query = answer_query,
						.addresses = answer_addresses };
	static const struct auth_ops auth_ops = { .relay_login = answer_login };
	struct ipc_server auth = { .service = &auth_service, .ops = &auth_ops };
	struct ipc_server dns = { .service = &dns_service, .ops = &dns_ops };
	struct ipc_server served;
	struct courier_config config = courier_config_from_settings(settings_get());
	struct group servers, callers, calls;
	int a[2], b[2], l[2];
	struct arena *memory = arg;

	group_init(&servers);
	group_init(&callers);
	group_init(&calls);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, a) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, b) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, l) < 0)
		abort();
	struct str dir = settings_path(settings_get(), memory, "/var/mail-state/courier");
	if (fd_make_dirs(dir.p, 0700, NULL) < 0)
		abort();
	config.dir = dir.p;
	courier = courier_start(&config);
	served = courier_ipc_server(courier);
	if (ipc_serve(a[0], &dns, &servers) < 0 || ipc_serve(b[0], &served, &servers) < 0 ||
	    ipc_serve(l[0], &auth, &servers) < 0)
		abort();
	courier_attach_auth(courier, l[1]);
	courier_attach_dns(courier, a[1]);
	queue = ipc_client_new("courier", &callers);
	ipc_client_attach(queue, b[1]);
	input = stream_new(0);
	main_fiber(&calls);
	stream_free(input);
	ipc_client_close(queue);
	group_done(&callers);
	ipc_client_free(queue);
	group_done(&servers);
	courier_stop(courier);
}

int main(int argc, char **argv)
{
	struct arena memory = ARENA_INIT;
	struct settings settings;
	struct group g;
	struct err err;

	if (argc != 2)
		return 2;
	zone = argv[1];
	if (settings_load((const char *const *)environ, NULL, &memory, &settings, &err) < 0 ||
	    own_addresses_load((uint16_t)(25 + settings.port_offset), settings.own_addresses,
			       &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	settings_use(&settings);
	struct log_config log = log_config_from_settings("courier");
	log_init(&log);
	loop_init(LOOP_CLOCK_REAL);
	loop_set_turn_hook(log_flush);
	work_init(2);
	group_init(&g);
	if (fiber_spawn(&g, "main", whole, &memory) < 0)
		return 2;
	loop_run();
	work_done();
	log_flush();
	loop_done();
	arena_done(&memory);
	return 0;
}
