/* setup queue suppressed, unsuppress: addresses that are refused because they were refused. */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "setup/cmd_queue.h"
#include "setup/message.h"
#include "setup/queue_door.h"
#include "setup/queue_past.h"
#include "setup/queue_print.h"

struct printing {
	bool json;
	unsigned count;
};

static void print_suppressed(void *ctx, const struct history_line *l)
{
	struct printing *p = ctx;

	p->count++;
	if (p->json) {
		fputs("{\"address\": ", stdout);
		print_json_string(l->fields[HISTORY_RECIPIENT]);
		printf(", \"time\": %" PRId64, l->time_ms / 1000);
		print_json_field("reason", l->fields[HISTORY_TEXT]);
		puts("}");
		return;
	}
	print_text(l->fields[HISTORY_RECIPIENT]);
	fputs("  ", stdout);
	print_time(l->time_ms / 1000);
	fputs("  ", stdout);
	print_text(l->fields[HISTORY_TEXT]);
	putchar('\n');
}

enum setup_exit cmd_queue_suppressed(struct setup *s)
{
	struct printing p = { .json = queue_take_json(s) };
	struct err err;

	if (!message_args_end(s, 0))
		return SETUP_ERROR;
	if (queue_past_file(s, HISTORY_SUPPRESSED, print_suppressed, &p, &err) < 0)
		return message_fail(s, "%s", err.text);
	if (p.count == 0 && !p.json)
		puts("No address is suppressed");
	return SETUP_OK;
}

static enum setup_exit unsuppress(struct setup *s, struct ipc_client *queue, void *unused)
{
	struct operator_unsuppress_in in = { .address = setup_arg(s, 0) };
	struct operator_unsuppress_out out;
	struct err err = { 0 };
	(void)unused;

	return operator_unsuppress(queue, &in, &s->arena, &out, &err) < 0
		       ? message_fail(s, "%s", err.text)
		       : SETUP_OK;
}

enum setup_exit cmd_queue_unsuppress(struct setup *s)
{
	return message_args_end(s, 1) ? queue_door_open(s, false, unsuppress, NULL) : SETUP_ERROR;
}
