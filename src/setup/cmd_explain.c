/* setup explain: why is this message what the server says it is? */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "filter/explain.h"
#include "queue/operator.h"
#include "setup/door.h"
#include "setup/explain_print.h"
#include "setup/message.h"

struct options {
	struct str what, client, helo, sender;
	bool has_helo, has_sender, json;
};

static enum setup_exit read_options(struct setup *s, struct options *o)
{
	unsigned char bytes[16];

	*o = (struct options){ .json = false };
	for (unsigned i = 0; i < s->count; i++) {
		struct str arg = s->args[i], value = setup_arg(s, i + 1);
		bool takes = true;
		if (str_eq(arg, STR("--json"))) {
			o->json = true;
			takes = false;
		} else if (str_eq(arg, STR("--client"))) {
			o->client = value;
		} else if (str_eq(arg, STR("--helo"))) {
			o->helo = value;
			o->has_helo = true;
		} else if (str_eq(arg, STR("--from"))) {
			o->sender = str_eq(value, STR("<>")) ? STR_NONE : value;
			o->has_sender = true;
		} else if ((!str_starts(arg, STR("--"))) && !o->what.n) {
			o->what = arg;
			takes = false;
		} else {
			return message_fail_usage(s, "'%s' is not understood", arg.p);
		}
		if (takes && i++ + 1 >= s->count)
			return message_fail_usage(s, "'%s' wants a value", arg.p);
	}
	if (!o->what.n)
		return message_fail_usage(s, "Which message?");
	if (o->client.n && inet_pton(AF_INET, o->client.p, bytes) != 1 &&
	    inet_pton(AF_INET6, o->client.p, bytes) != 1)
		return message_fail(s, "'%s' is no address", o->client.p);
	return SETUP_OK;
}

/* What was said on the command line counts first, then what this server wrote down. */
static void find_origin(const struct options *o, const struct explain_message *m,
			struct explain_origin *out)
{
	const struct explain_trace *t = &m->trace;

	*out = (struct explain_origin){ .client_from = NULL };
	if (o->client.n) {
		out->client_address = o->client;
		out->client_from = "option";
	} else if (t->client_address.n) {
		out->client_address = t->client_address;
		out->client_from = "Received";
	} else if (m->client_address.n) {
		out->client_address = m->client_address;
		out->client_from = "queue";
	}
	if (o->has_helo) {
		out->helo = o->helo;
		out->helo_from = "option";
	} else if (t->helo.n) {
		out->helo = t->helo;
		out->helo_from = "Received";
	}
	if (o->has_sender) {
		out->sender = o->sender;
		out->sender_from = "option";
	} else if (t->has_sender) {
		out->sender = t->sender;
		out->sender_from = "Return-Path";
	} else if (m->has_sender) {
		out->sender = m->sender;
		out->sender_from = "queue";
	}
}

/* The message without what we put on top, in a file of its own. */
static int message_file(const struct explain_message *m, size_t *size, struct err *err)
{
	struct str text = str_skip(m->text, m->trace.size);
	auto_close int fd = memfd_create("message", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "memfd");
	int r = fd_write_all(fd, text, err);
	*size = text.n;
	return r < 0 ? r : take_fd(&fd);
}

static int may_suspend ask_filter(struct setup *s, const struct explanation *e,
				  struct explain_message_out *out, struct err *err)
{
	struct explain_message_in in = {
		.client_address = e->origin.client_address,
		.helo = e->origin.helo,
		.sender = e->origin.sender,
	};
	struct door filter;
	size_t size = 0;

	auto_close int fd = message_file(&e->message, &size, err);
	if (fd < 0)
		return fd;
	in.body = fd;
	in.body_size = size;
	if (door_open(s, EXPLAIN_SOCKET, "filter", &filter, err) < 0)
		return err_prefix(err, "The filter cannot be reached, is the server running?");
	int r = explain_message(filter.role, &in, &s->arena, out, err);
	door_close(&filter);
	return r;
}

static enum setup_exit find(struct setup *s, const struct options *o, struct explain_message *m)
{
	struct door queue = { .role = NULL };
	struct err err = { 0 };

	if (str_eq(o->what, STR("-")) || access(o->what.p, F_OK) == 0)
		return explain_message_read(s, o->what, m);
	bool open = door_open(s, OPERATOR_SOCKET, "queue", &queue, &err) == 0;
	int r = explain_message_find(s, open ? queue.role : NULL, o->what, m, &err);
	if (open)
		door_close(&queue);
	if (r == -ENOENT)
		return message_fail(s, "There is no file, and nothing is known of a message, '%s'",
				    o->what.p);
	return r < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

static enum setup_exit explain(struct setup *s, void *arg)
{
	const struct options *o = arg;
	struct explanation e = { .now = NULL };
	struct explain_message_out now;
	struct err err;

	enum setup_exit x = find(s, o, &e.message);
	if (x != SETUP_OK)
		return x;
	struct explain_message *m = &e.message;
	explain_log_read(s, m->id, &e.log);
	find_origin(o, m, &e.origin);
	int r = m->where.n ? ask_filter(s, &e, &now, &err) : 0;
	e.now = m->where.n && r == 0 ? &now : NULL;
	if (o->json) {
		explain_print_json(s, &e);
	} else {
		explain_print_past(s, &e);
		if (e.now)
			explain_print_now(&e);
	}
	fflush(stdout);
	if (!m->where.n)
		return message_fail(s, "The message itself is not here: give its file to have it "
				       "checked");
	return r < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

enum setup_exit cmd_explain(struct setup *s)
{
	struct options o;

	enum setup_exit r = read_options(s, &o);
	return r == SETUP_OK ? door_run(s, explain, &o) : r;
}
