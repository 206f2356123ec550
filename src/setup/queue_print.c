#include "setup/queue_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "queue/operator.h"
#include "queue/operator_ipc.h"
#include "queue/queue_id.h"
#include "setup/json.h"
#include "setup/queue_past.h"

/* Terminals obey C1 (ECMA-48) too: U+009B is what ESC [ is. */
static bool is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

/* How many bytes were taken. `last`: the others of a character that is cut are not to come. */
static size_t print_shown(struct str piece, const char *allowed, bool last)
{
	struct str s = piece;

	while (s.n) {
		struct str at = s;
		uint32_t cp;
		int r = utf8_next(&s, &cp);
		if (r < 0 && !last && at.n < 4)
			return piece.n - at.n;
		if (r == 0 && (!is_control(cp) || (cp && cp < 0x20 && strchr(allowed, (int)cp))))
			fwrite(at.p, 1, at.n - s.n, stdout);
		else
			putchar('?');
	}
	return piece.n;
}

void print_text(struct str s)
{
	print_shown(s, "", true);
}

size_t print_lines_piece(struct str piece, bool last)
{
	return print_shown(piece, "\t\r\n", last);
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

static void print_buf(const struct buf *b)
{
	check(!buf_failed(b));
	fwrite(b->p, 1, b->n, stdout);
}

size_t print_json_piece(struct str piece, bool last)
{
	auto_buf struct buf b;

	buf_init(&b, NULL, SIZE_MAX);
	size_t n = json_write_piece(&b, piece, last);
	print_buf(&b);
	return n;
}

void print_json_string(struct str s)
{
	auto_buf struct buf b;

	buf_init(&b, NULL, SIZE_MAX);
	json_write_string(&b, s);
	print_buf(&b);
}

void print_json_field(const char *name, struct str value)
{
	if (!value.n)
		return;
	printf(", \"%s\": ", name);
	print_json_string(value);
}

void queue_print_json(const struct operator_message *m, const struct operator_recipient *recipients,
		      const struct queue_reasons *reasons)
{
	printf("\"queue_name\": \"%s\", \"queue_id\": \"%s\", \"arrival_time\": %" PRId64
	       ", \"message_size\": %" PRIu64 ", \"attempts\": %" PRIu32,
	       queue_state_word(m->state), queue_id_text(m->id).c, queue_id_usec(m->id) / 1000000,
	       m->size, m->attempts);
	if (m->priority)
		printf(", \"priority\": %" PRId64, m->priority);
	if (m->next)
		printf(", \"next_attempt\": %" PRId64, m->next);
	fputs(", \"sender\": ", stdout);
	print_json_string(m->sender);
	fputs(", \"recipients\": [", stdout);
	for (uint32_t i = 0; i < m->recipients; i++) {
		struct str reason = queue_reasons_find(reasons, m->id, recipients[i].address);
		fputs(i ? ", {\"address\": " : "{\"address\": ", stdout);
		print_json_string(recipients[i].address);
		print_json_field("delay_reason", reason);
		putchar('}');
	}
	putchar(']');
}
