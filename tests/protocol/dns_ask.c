/* Starts the resolver as the supervisor does and asks it what standard input says: for
 * test_resolver.py.
 *
 * The questions of one line, each TYPE:NAME, are asked at once; for each there is a line of JSON.
 * TYPE is a name or a number; HOST and LOCAL ask for addresses, LOCAL as for names that an operator
 * wrote. "DIE" kills the resolver and starts another.
 *
 * usage: dns-ask PATH-OF-POSTHORN-RESOLVER, with the settings in the environment */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/io.h"
#include "core/ipc.h"
#include "core/loop.h"
#include "core/networks.h"
#include "core/process.h"
#include "core/work.h"
#include "dns/dns_client.h"
#include "roles/control_ipc.h"

#define QUESTIONS_MAX 3000
#define INPUT_MAX     (1024 * 1024)
#define END_MS	      20000

static struct {
	const char *program;
	struct group fibers;
	struct process process;
	struct ipc_client *control, *dns;
} self;

struct question {
	struct str text;
	struct arena memory;
	struct buf answer;
};

static void die(const struct err *err)
{
	fprintf(stderr, "dns-ask: %s\n", err->text);
	exit(1);
}

/* Made, named after and given the descriptors as src/roles/children.c does it. */
static void may_suspend start_role(void)
{
	auto_arena struct arena a = ARENA_INIT;
	const char *const argv[] = { self.program, "0", NULL };
	int control[2], calls[2];
	struct err err;

	check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0);
	check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, calls) == 0);
	const int passed[] = { control[1], STDERR_FILENO };
	struct process_spec spec = { .path = self.program,
				     .argv = argv,
				     .env = (const char *const *)environ,
				     .fds = passed,
				     .fd_count = 2 };
	if (process_spawn(&spec, &self.process, &err) < 0)
		die(&err);
	close(control[1]);
	ipc_client_attach(self.control, control[0]);
	ipc_client_attach(self.dns, calls[1]);

	struct control_peer_in peer = { .service = STR("test"),
					.serving = true,
					.socket = calls[0] };
	struct control_peer_out peer_out;
	struct control_start_in start = { 0 };
	struct control_start_out start_out;
	if (control_peer(self.control, &peer, &a, &peer_out, &err) < 0 ||
	    control_start(self.control, &start, &a, &start_out, &err) < 0)
		die(&err);
	close(calls[0]);
}

static void may_suspend end_role(void)
{
	struct process_end end;

	ipc_client_detach(self.control);
	ipc_client_detach(self.dns);
	if (process_wait(&self.process, loop_deadline(END_MS), &end) < 0) {
		fprintf(stderr, "dns-ask: the resolver does not end\n");
		process_kill(&self.process, SIGKILL);
		exit(1);
	}
	if (end.signalled || end.code != 0) {
		fprintf(stderr, "dns-ask: the resolver ended with %d\n", end.code);
		exit(1);
	}
	process_done(&self.process);
}

static void may_suspend kill_role(void)
{
	struct process_end end;

	process_kill(&self.process, SIGKILL);
	(void)!process_wait(&self.process, LOOP_FOREVER, &end);
	process_done(&self.process);
	start_role();
	puts("{}");
}

static void put_string(struct buf *b, const char *key, struct str s)
{
	buf_printf(b, ", \"%s\": \"", key);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\' || !str_is_printable(str_sub(s, i, 1)))
			buf_printf(b, "\\u%04x", (uint8_t)s.p[i]);
		else
			buf_putc(b, s.p[i]);
	}
	buf_putc(b, '"');
}

static void put_answer(struct buf *b, const struct dns_answer *answer)
{
	static const char *const words[] = { "found", "nodata", "nxdomain", "tempfail", "bogus" };

	buf_printf(b, "{\"status\": \"%s\", \"secure\": %s, \"ttl\": %u", words[answer->status],
		   answer->secure ? "true" : "false", answer->ttl);
	put_string(b, "name", answer->name);
	put_string(b, "reason", answer->reason);
	buf_puts(b, ", \"records\": [");
}

static void put_separator(struct buf *b, size_t i)
{
	if (i)
		buf_puts(b, ", ");
}

static void put_record(struct buf *b, size_t i, struct str text)
{
	put_separator(b, i);
	buf_puts(b, "{\"n\": 0");
	put_string(b, "text", text);
	buf_putc(b, '}');
}

static void put_address(struct buf *b, size_t i, struct str bytes)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr aligned;

	memcpy(&aligned, bytes.p, bytes.n);
	address_write(bytes.n == 16, &aligned, text);
	put_record(b, i, str_from(text));
}

static void may_suspend ask_addresses(struct question *q, struct str name, bool local)
{
	struct dns_address_answer o;

	if (dns_find_addresses(self.dns, name, local, &q->memory, &o) < 0)
		return;
	put_answer(&q->answer, &o.answer);
	for (size_t i = 0; i < o.count; i++)
		put_address(&q->answer, i, o.addresses[i].bytes);
}

static void may_suspend ask_mx(struct question *q, struct str name)
{
	struct dns_mx_answer o;

	if (dns_find_mx(self.dns, name, &q->memory, &o) < 0)
		return;
	put_answer(&q->answer, &o.answer);
	for (size_t i = 0; i < o.count; i++)
		put_record(&q->answer, i,
			   arena_printf(&q->memory, "%u %" STR_FMT, o.mx[i].preference,
					STR_ARG(o.mx[i].host)));
}

static void may_suspend ask_srv(struct question *q, struct str name)
{
	struct dns_srv_answer o;

	if (dns_find_srv(self.dns, name, &q->memory, &o) < 0)
		return;
	put_answer(&q->answer, &o.answer);
	for (size_t i = 0; i < o.count; i++)
		put_record(&q->answer, i,
			   arena_printf(&q->memory, "%u %u %u %" STR_FMT, o.srv[i].priority,
					o.srv[i].weight, o.srv[i].port, STR_ARG(o.srv[i].target)));
}

static void may_suspend ask_tlsa(struct question *q, struct str name)
{
	struct dns_tlsa_answer o;

	if (dns_find_tlsa(self.dns, name, &q->memory, &o) < 0)
		return;
	put_answer(&q->answer, &o.answer);
	for (size_t i = 0; i < o.count; i++)
		put_record(&q->answer, i,
			   arena_printf(&q->memory, "%u %u %u %zu", o.tlsa[i].usage,
					o.tlsa[i].selector, o.tlsa[i].matching, o.tlsa[i].data.n));
}

static void may_suspend ask_caa(struct question *q, struct str name)
{
	struct dns_caa_answer o;

	if (dns_find_caa(self.dns, name, &q->memory, &o) < 0)
		return;
	put_answer(&q->answer, &o.answer);
	for (size_t i = 0; i < o.count; i++)
		put_record(&q->answer, i,
			   arena_printf(&q->memory, "%u %" STR_FMT " %" STR_FMT, o.caa[i].flags,
					STR_ARG(o.caa[i].tag), STR_ARG(o.caa[i].value)));
}

static void may_suspend ask_txt(struct question *q, struct str name)
{
	struct dns_text_answer o;

	if (dns_find_txt(self.dns, name, &q->memory, &o) < 0)
		return;
	put_answer(&q->answer, &o.answer);
	for (size_t i = 0; i < o.count; i++)
		put_record(&q->answer, i, o.text[i]);
}

/* The name is an IP address. */
static void may_suspend ask_ptr(struct question *q, struct str name)
{
	struct dns_text_answer o;
	uint8_t bytes[16];
	const char *text = arena_cstr(&q->memory, name);
	size_t n = inet_pton(AF_INET, text, bytes) == 1 ? 4 : 16;

	check(n == 4 || inet_pton(AF_INET6, text, bytes) == 1);
	if (dns_find_ptr(self.dns, str_of(bytes, n), &q->memory, &o) < 0)
		return;
	put_answer(&q->answer, &o.answer);
	for (size_t i = 0; i < o.count; i++)
		put_record(&q->answer, i, o.text[i]);
}

/* Any other type, by its number: how long each record is. */
static void may_suspend ask_number(struct question *q, struct str type, struct str name)
{
	struct dns_query_in in = { .name = name };
	struct dns_query_out o;
	struct err err;
	uint64_t number;

	if (str_to_u64(type, UINT32_MAX, &number) < 0) {
		fprintf(stderr, "dns-ask: what is %" STR_FMT "?\n", STR_ARG(type));
		exit(1);
	}
	in.type = (uint32_t)number;
	struct dns_answer answer = { .status = DNS_TEMPFAIL, .name = name };
	o.records_count = 0;
	if (dns_query(self.dns, &in, &q->memory, &o, &err) < 0)
		answer.reason = str_from(err.text);
	else
		answer = (struct dns_answer){ o.status, o.secure, o.name, o.ttl, o.reason };
	put_answer(&q->answer, &answer);
	for (size_t i = 0; i < o.records_count; i++) {
		put_separator(&q->answer, i);
		buf_printf(&q->answer, "{\"n\": %zu}", o.records[i].data.n);
	}
}

static void ask(void *arg)
{
	static const struct {
		struct str type;
		void (*fn)(struct question *q, struct str name);
	} types[] = {
		{ STR_INIT("MX"), ask_mx },   { STR_INIT("SRV"), ask_srv },
		{ STR_INIT("TXT"), ask_txt }, { STR_INIT("TLSA"), ask_tlsa },
		{ STR_INIT("CAA"), ask_caa }, { STR_INIT("PTR"), ask_ptr },
	};
	struct question *q = arg;
	struct str type, name;
	void (*fn)(struct question *q, struct str name) = NULL;

	str_cut(q->text, ':', &type, &name);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(type, types[i].type))
			fn = types[i].fn;
	if (fn)
		fn(q, name);
	else if (str_eq(type, STR("HOST")) || str_eq(type, STR("LOCAL")))
		ask_addresses(q, name, type.p[0] == 'L');
	else
		ask_number(q, type, name);
	buf_puts(&q->answer, "]}\n");
}

static void may_suspend answer_line(struct str line)
{
	static struct question questions[QUESTIONS_MAX];
	auto_group struct group g;
	size_t n = 0;

	group_init(&g);
	for (struct str word; n < QUESTIONS_MAX && str_next_word(&line, &word); n++) {
		struct question *q = &questions[n];
		*q = (struct question){ .text = word };
		buf_init(&q->answer, &q->memory, INPUT_MAX);
		check(fiber_spawn(&g, "ask", ask, q) == 0);
	}
	(void)!group_join(&g, LOOP_FOREVER);
	for (size_t i = 0; i < n; i++) {
		fwrite(questions[i].answer.p, 1, questions[i].answer.n, stdout);
		arena_done(&questions[i].memory);
	}
}

static void may_suspend answer_lines(void)
{
	struct io input;
	auto_buf struct buf b;
	struct str rest, line, after;

	io_init(&input, STDIN_FILENO);
	buf_init(&b, NULL, INPUT_MAX);
	for (;;) {
		while (!str_cut(buf_str(&b), '\n', &line, &rest)) {
			char *space = buf_space(&b, 4096);
			check(space);
			ssize_t n = read(STDIN_FILENO, space, 4096);
			if (n == 0)
				return;
			if (n > 0)
				buf_added(&b, (size_t)n);
			else if (io_wait_readable(&input, LOOP_FOREVER) < 0)
				return;
		}
		after = rest;
		if (str_eq(line, STR("DIE")))
			kill_role();
		else
			answer_line(line);
		fflush(stdout);
		buf_consume(&b, b.n - after.n);
	}
}

static void main_fiber(void *unused)
{
	(void)unused;
	self.control = ipc_client_new("control", &self.fibers);
	self.dns = ipc_client_new("dns", &self.fibers);
	start_role();
	answer_lines();
	end_role();
	group_done(&self.fibers);
	ipc_client_free(self.control);
	ipc_client_free(self.dns);
}

int main(int argc, char **argv)
{
	struct group g;

	if (argc != 2)
		return 2;
	self.program = argv[1];
	setenv("POSTHORN_LOG_FD", "4", 1);
	loop_init(LOOP_CLOCK_REAL);
	work_init(1);
	group_init(&g);
	group_init(&self.fibers);
	check(fiber_spawn(&g, "main", main_fiber, NULL) == 0);
	loop_run();
	work_done();
	loop_done();
	return 0;
}
