#include "setup/queue_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "queue/operator.h"
#include "queue/operator_ipc.h"
#include "queue/queue_id.h"
#include "setup/queue_past.h"

void print_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		putchar(c < 0x20 || c == 0x7f ? '?' : c);
	}
}

static void print_formatted(int64_t unix_s, const char *format)
{
	time_t t = (time_t)unix_s;
	struct tm tm;
	char text[40];

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), format, &tm);
	fputs(text, stdout);
}

void print_arrival(uint64_t id)
{
	print_formatted(queue_id_usec(id) / 1000000, "%a %b %d %H:%M:%S");
}

void print_time(int64_t unix_s)
{
	print_formatted(unix_s, "%Y-%m-%d %H:%M:%S");
}

const char *queue_state_word(unsigned state)
{
	switch (state) {
	case OPERATOR_ACTIVE:
		return "active";
	case OPERATOR_DEFERRED:
		return "deferred";
	case OPERATOR_HELD:
		return "hold";
	default:
		return "incoming";
	}
}

void queue_print_head(void)
{
	puts("-Queue ID-      --Size-- ----Arrival Time---- -Sender/Recipient-------");
}

void queue_print_message(const struct operator_message *m,
			 const struct operator_recipient *recipients,
			 const struct queue_reasons *reasons)
{
	char mark = m->state == OPERATOR_ACTIVE ? '*' : m->state == OPERATOR_HELD ? '!' : ' ';

	printf("%s%c %9" PRIu64 " ", queue_id_text(m->id).c, mark, m->size);
	print_arrival(m->id);
	fputs("  ", stdout);
	print_text(m->sender.n ? m->sender : STR("MAILER-DAEMON"));
	putchar('\n');
	for (uint32_t i = 0; i < m->recipients; i++) {
		struct str reason = queue_reasons_find(reasons, m->id, recipients[i].address);
		if (reason.n) {
			fputs("    (", stdout);
			print_text(reason);
			fputs(")\n", stdout);
		}
		printf("%46s", "");
		print_text(recipients[i].address);
		putchar('\n');
	}
	putchar('\n');
}

void queue_print_foot(uint64_t count, uint64_t bytes)
{
	printf("-- %" PRIu64 " Kbytes in %" PRIu64 " Request%s.\n", bytes / 1024, count,
	       count == 1 ? "" : "s");
}

static void print_json_string(struct str s)
{
	putchar('"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else if (c == '"' || c == '\\')
			printf("\\%c", c);
		else
			putchar(c);
	}
	putchar('"');
}

void queue_print_json(const struct operator_message *m, const struct operator_recipient *recipients,
		      const struct queue_reasons *reasons)
{
	printf("{\"queue_name\": \"%s\", \"queue_id\": \"%s\", \"arrival_time\": %" PRId64
	       ", \"message_size\": %" PRIu64 ", \"attempts\": %" PRIu32,
	       queue_state_word(m->state), queue_id_text(m->id).c, queue_id_usec(m->id) / 1000000,
	       m->size, m->attempts);
	if (m->next)
		printf(", \"next_attempt\": %" PRId64, m->next);
	fputs(", \"sender\": ", stdout);
	print_json_string(m->sender);
	fputs(", \"recipients\": [", stdout);
	for (uint32_t i = 0; i < m->recipients; i++) {
		struct str reason = queue_reasons_find(reasons, m->id, recipients[i].address);
		fputs(i ? ", {\"address\": " : "{\"address\": ", stdout);
		print_json_string(recipients[i].address);
		if (reason.n) {
			fputs(", \"delay_reason\": ", stdout);
			print_json_string(reason);
		}
		putchar('}');
	}
	fputs("]}\n", stdout);
}
