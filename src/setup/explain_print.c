#include "setup/explain_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "filter/filter.h"
#include "queue/queue_id.h"
#include "setup/cmd_queue.h"
#include "setup/json.h"
#include "setup/queue_past.h"
#include "setup/queue_print.h"

#define JSON_MAX ((size_t)16 << 20)

const char *explain_action_word(unsigned action)
{
	return action == FILTER_REJECT	     ? "reject"
	       : action == FILTER_QUARANTINE ? "quarantine"
					     : "accept";
}

static void print_pair(const char *name, struct str value)
{
	if (!value.n)
		return;
	printf("%-12s", name);
	print_text(value);
	putchar('\n');
}

static void print_origin(const char *name, struct str value, const char *from)
{
	printf("%-12s", name);
	if (!from) {
		puts("not known");
		return;
	}
	if (value.n)
		print_text(value);
	else
		fputs("<>", stdout);
	printf("  (%s)\n", from);
}

void explain_print_past(struct setup *s, const struct explanation *e)
{
	const struct explain_message *m = &e->message;
	(void)s;

	print_pair("Message", m->where.n ? m->where : STR("is not here any more"));
	print_pair("Message-ID", m->message_id);
	if (m->id)
		print_pair("Queue id", str_from(queue_id_text(m->id).c));
	if (m->others)
		printf("%-12s%u more with this Message-ID\n", "Others", m->others);
	print_origin("Client", e->origin.client_address, e->origin.client_from);
	print_origin("HELO", e->origin.helo, e->origin.helo_from);
	print_origin("MAIL FROM", e->origin.sender, e->origin.sender_from);
	print_pair("Login", m->login);
	if (m->trace.submitted)
		puts("            Submitted here: the server does not check what its own users "
		     "send.");

	puts("\nWhat was found when it came in");
	if (m->in_history)
		queue_trace_id(s, m->id, false);
	for (size_t i = 0; i < m->trace.result_count; i++) {
		fputs("  ", stdout);
		print_text(m->trace.results[i]);
		putchar('\n');
	}
	for (size_t i = 0; i < e->log.count; i++) {
		fputs("  log: ", stdout);
		print_text(e->log.lines[i]);
		putchar('\n');
	}
	if (!m->in_history && !m->trace.result_count && !e->log.count)
		puts(m->trace.ours ? "  This server has written no results."
				   : "  This server has left no trace of it.");
}

static void print_findings(const struct explain_message_out *now)
{
	size_t fact = 0;

	for (size_t i = 0; i < now->findings_count; i++) {
		const struct explain_finding *f = &now->findings[i];
		printf("  %-12" STR_FMT "%-12" STR_FMT, STR_ARG(f->check), STR_ARG(f->result));
		print_text(f->subject);
		putchar('\n');
		for (uint32_t k = 0; k < f->facts && fact < now->facts_count; k++, fact++) {
			printf("      %-15" STR_FMT, STR_ARG(now->facts[fact].name));
			print_text(now->facts[fact].value);
			putchar('\n');
		}
	}
}

static void print_thousandths(int64_t weight)
{
	int64_t size = weight < 0 ? -weight : weight;

	printf("%4s%" PRId64 ".%03" PRId64, weight < 0 ? "-" : "", size / 1000, size % 1000);
}

static void print_symbols(const struct explain_message_out *now)
{
	int64_t sum = 0;

	for (size_t i = 0; i < now->symbols_count; i++) {
		const struct explain_symbol *y = &now->symbols[i];
		printf("  %-20" STR_FMT, STR_ARG(y->name));
		print_thousandths(y->weight);
		fputs("  ", stdout);
		print_text(y->evidence);
		putchar('\n');
		sum += y->weight;
	}
	printf("  %-20s", "together");
	print_thousandths(sum);
	putchar('\n');
}

void explain_print_now(const struct explanation *e)
{
	const struct explain_message_out *now = e->now;

	puts("\nWhat is found now");
	print_findings(now);
	puts("\nSymbols");
	print_symbols(now);
	printf("\nAction      %s", explain_action_word(now->action));
	if (now->reply.n) {
		fputs(": ", stdout);
		print_text(now->reply);
	}
	putchar('\n');
}

static void put_past(struct json *j, const struct explanation *e)
{
	const struct explain_message *m = &e->message;

	json_str_if(j, "message", m->where);
	json_str_if(j, "message_id", m->message_id);
	if (m->id)
		json_str(j, "queue_id", str_from(queue_id_text(m->id).c));
	json_int(j, "others", m->others);
	if (e->origin.client_from)
		json_str(j, "client", e->origin.client_address);
	if (e->origin.helo_from)
		json_str(j, "helo", e->origin.helo);
	if (e->origin.sender_from)
		json_str(j, "mail_from", e->origin.sender);
	json_str_if(j, "login", m->login);
}

struct telling {
	struct json *j;
	uint64_t id;
};

static void put_line(void *ctx, const struct history_line *l)
{
	static const char *const arrival[] = { "sender", "message_id", "size", "client", "login" };
	static const char *const attempt[] = { "recipient", "relay", "tls", "status", "text" };
	struct telling *t = ctx;
	bool received = str_eq(l->kind, STR("received"));

	if (l->id != t->id)
		return;
	json_open(t->j, NULL, '{');
	json_int(t->j, "time_ms", l->time_ms);
	json_str(t->j, "kind", l->kind);
	for (size_t i = 0; i < HISTORY_FIELDS; i++)
		json_str_if(t->j, received ? arrival[i] : attempt[i], l->fields[i]);
	json_close(t->j, '}');
}

static void put_then(struct setup *s, struct json *j, const struct explanation *e)
{
	const struct explain_message *m = &e->message;
	struct telling t = { j, m->id };

	json_open(j, "then", '{');
	json_open(j, "history", '[');
	if (m->in_history)
		(void)!queue_past_each(s, put_line, &t, NULL);
	json_close(j, ']');
	json_open(j, "fields", '[');
	for (size_t i = 0; i < m->trace.result_count; i++)
		json_str(j, NULL, m->trace.results[i]);
	json_close(j, ']');
	json_open(j, "log", '[');
	for (size_t i = 0; i < e->log.count; i++)
		json_str(j, NULL, e->log.lines[i]);
	json_close(j, ']');
	json_close(j, '}');
}

static void put_findings(struct json *j, const struct explain_message_out *now)
{
	size_t fact = 0;

	json_open(j, "findings", '[');
	for (size_t i = 0; i < now->findings_count; i++) {
		const struct explain_finding *f = &now->findings[i];
		json_open(j, NULL, '{');
		json_str(j, "check", f->check);
		json_str(j, "result", f->result);
		json_str_if(j, "subject", f->subject);
		json_open(j, "facts", '[');
		for (uint32_t k = 0; k < f->facts && fact < now->facts_count; k++, fact++) {
			json_open(j, NULL, '{');
			json_str(j, "name", now->facts[fact].name);
			json_str(j, "value", now->facts[fact].value);
			json_close(j, '}');
		}
		json_close(j, ']');
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_now(struct json *j, const struct explain_message_out *now)
{
	json_open(j, "now", '{');
	json_str(j, "server", now->server);
	json_str(j, "action", str_from(explain_action_word(now->action)));
	json_str_if(j, "reply", now->reply);
	put_findings(j, now);
	json_open(j, "symbols", '[');
	for (size_t i = 0; i < now->symbols_count; i++) {
		const struct explain_symbol *y = &now->symbols[i];
		json_open(j, NULL, '{');
		json_str(j, "name", y->name);
		json_int(j, "weight_thousandths", y->weight);
		json_str(j, "evidence", y->evidence);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_str(j, "fields", now->head);
	json_close(j, '}');
}

void explain_print_json(struct setup *s, const struct explanation *e)
{
	auto_buf struct buf b;
	struct json j = { .out = &b };

	buf_init(&b, NULL, JSON_MAX);
	json_open(&j, NULL, '{');
	put_past(&j, e);
	put_then(s, &j, e);
	if (e->now)
		put_now(&j, e->now);
	json_close(&j, '}');
	buf_putc(&b, '\n');
	fwrite(b.p, 1, b.n, stdout);
}
