/* setup queue list, show: what waits, and for what. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "queue/queue_id.h"
#include "setup/cmd_queue.h"
#include "setup/message.h"
#include "setup/queue_door.h"
#include "setup/queue_past.h"
#include "setup/queue_print.h"

struct listing {
	struct queue_reasons reasons;
	bool json;
	uint64_t count, bytes;
};

static int list_one(void *ctx, const struct operator_message *m,
		    const struct operator_recipient *recipients, struct err *err)
{
	struct listing *l = ctx;
	(void)err;

	if (l->json) {
		putchar('{');
		queue_print_json(m, recipients, &l->reasons);
		puts("}");
		return 0;
	}
	if (l->count++ == 0)
		queue_print_head();
	l->bytes += m->size;
	queue_print_message(m, recipients, &l->reasons);
	return 0;
}

bool queue_take_json(struct setup *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (!str_eq(s->args[i], STR("--json")))
			continue;
		s->count--;
		for (; i < s->count; i++)
			s->args[i] = s->args[i + 1];
		return true;
	}
	return false;
}

enum setup_exit queue_list(struct setup *s, struct ipc_client *queue, void *json)
{
	struct listing l = { .json = json != NULL };
	struct err err;

	queue_reasons_load(&l.reasons, s);
	int r = queue_door_each(s, queue, list_one, &l, &err);
	queue_reasons_done(&l.reasons);
	if (r < 0)
		return message_fail(s, "%s", err.text);
	if (!l.json && l.count == 0)
		puts("Mail queue is empty");
	else if (!l.json)
		queue_print_foot(l.count, l.bytes);
	return SETUP_OK;
}

enum setup_exit cmd_queue_list(struct setup *s)
{
	bool json = queue_take_json(s);

	return message_args_end(s, 0) ? queue_door_open(s, false, queue_list, json ? s : NULL)
				      : SETUP_ERROR;
}

struct showing {
	uint64_t id;
	bool json;
};

static int show_envelope(void *ctx, const struct operator_message *m,
			 const struct operator_recipient *recipients, struct err *err)
{
	(void)ctx, (void)err;
	printf("Queue id:  %s\nState:     %s\nReceived:  ", queue_id_text(m->id).c,
	       queue_state_word(m->state));
	print_time(queue_id_usec(m->id) / 1000000);
	printf("\nSize:      %" PRIu64 "\nSender:    <", m->size);
	print_text(m->sender);
	puts(">");
	if (m->auth_user.n) {
		fputs("Login:     ", stdout);
		print_text(m->auth_user);
		putchar('\n');
	}
	if (m->client_address.n) {
		fputs("Client:    ", stdout);
		print_text(m->client_address);
		putchar('\n');
	}
	if (m->priority)
		printf("Priority:  %" PRId64 "\n", m->priority);
	for (uint32_t i = 0; i < m->recipients; i++) {
		fputs("Recipient: <", stdout);
		print_text(recipients[i].address);
		puts(">");
	}
	if (m->next) {
		fputs("Next try:  ", stdout);
		print_time(m->next);
		printf(" (after %" PRIu32 ")", m->attempts);
		putchar('\n');
	}
	return 0;
}

static int show_envelope_json(void *ctx, const struct operator_message *m,
			      const struct operator_recipient *recipients, struct err *err)
{
	(void)err;
	putchar('{');
	queue_print_json(m, recipients, ctx);
	print_json_field("login", m->auth_user);
	print_json_field("client_address", m->client_address);
	return 0;
}

static int show_content(struct ipc_client *queue, const struct showing *w, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct operator_content_in in = { w->id };
	struct operator_content_out out;
	static char block[65536];
	bool terminal = isatty(STDOUT_FILENO); /* whoever wants the bytes has them in a file */
	size_t kept = 0; /* of a character that the last block had not all of */

	int r = operator_content(queue, &in, &a, &out, err);
	if (r < 0)
		return r;
	auto_close int fd = out.file;
	while (out.length) {
		size_t room = sizeof(block) - kept;
		size_t part = out.length < room ? (size_t)out.length : room;
		ssize_t n = fd_pread_all(fd, block + kept, part, out.offset);
		if (n <= 0)
			return err_set(err, n < 0 ? (int)n : -EIO, "the message cannot be read");
		out.offset += (uint64_t)n;
		out.length -= (uint64_t)n;
		struct str piece = str_of(block, kept + (size_t)n);
		size_t used = w->json	 ? print_json_piece(piece, out.length == 0)
			      : terminal ? print_lines_piece(piece, out.length == 0)
					 : fwrite(block, 1, piece.n, stdout);
		kept = piece.n - used;
		memmove(block, block + used, kept);
	}
	return 0;
}

static int show_lines(struct setup *s, struct ipc_client *queue, const struct showing *w,
		      struct err *err)
{
	int r = queue_door_find(queue, w->id, show_envelope, NULL, err);

	if (r < 0)
		return r;
	puts("\nWhat happened so far:");
	queue_trace_id(s, w->id, false);
	putchar('\n');
	return show_content(queue, w, err);
}

static int show_json(struct setup *s, struct ipc_client *queue, const struct showing *w,
		     struct err *err)
{
	struct queue_reasons reasons;

	queue_reasons_load(&reasons, s);
	int r = queue_door_find(queue, w->id, show_envelope_json, &reasons, err);
	queue_reasons_done(&reasons);
	if (r < 0)
		return r;
	fputs(", \"events\": ", stdout);
	queue_trace_id(s, w->id, true);
	fputs(", \"content\": \"", stdout);
	r = show_content(queue, w, err);
	puts("\"}");
	return r;
}

static enum setup_exit show(struct setup *s, struct ipc_client *queue, void *arg)
{
	const struct showing *w = arg;
	struct err err = { 0 };

	int r = w->json ? show_json(s, queue, w, &err) : show_lines(s, queue, w, &err);
	if (r == -ENOENT)
		return message_fail(s, "'%s' is not in the queue", queue_id_text(w->id).c);
	return r < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

enum setup_exit cmd_queue_show(struct setup *s)
{
	struct showing w = { .json = queue_take_json(s) };

	if (!message_args_end(s, 1))
		return SETUP_ERROR;
	if (queue_id_parse(setup_arg(s, 0), &w.id) < 0)
		return message_fail_usage(s, "'%" STR_FMT "' is no queue id",
					  STR_ARG(setup_arg(s, 0)));
	return queue_door_open(s, false, show, &w);
}
