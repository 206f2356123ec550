/* STAT, LIST (RFC 1939 section 5) and UIDL (section 7). */
#include <inttypes.h>

#include "core/stream.h"
#include "pop3/session_state.h"
#include "store/store.h"

int pop3_cmd_stat(struct pop3_session *s, const struct pop3_line *line)
{
	uint64_t bytes = 0;
	uint32_t count = 0;
	(void)line;

	for (uint32_t i = 0; i < s->count; i++) {
		if (pop3_message_hidden(&s->messages[i]))
			continue;
		count++;
		bytes += s->messages[i].size;
	}
	stream_printf(s->stream, "+OK %" PRIu32 " %" PRIu64 "\r\n", count, bytes);
	return 0;
}

static void may_suspend write_size(struct pop3_session *s, const struct pop3_message *m)
{
	stream_printf(s->stream, "%" PRIu32 " %" PRIu64 "\r\n", pop3_message_number(s, m), m->size);
}

/* The identifier that Dovecot gives by default, so that a client which has used the mailbox before
 * does not download everything again. */
static void may_suspend write_uid(struct pop3_session *s, const struct pop3_message *m)
{
	uint32_t n = pop3_message_number(s, m);
	struct store_message stored;

	if (store_view_message(s->view, n, &stored) == 0 && stored.pop3_uidl.n)
		stream_printf(s->stream, "%" PRIu32 " %" STR_FMT "\r\n", n,
			      STR_ARG(stored.pop3_uidl));
	else
		stream_printf(s->stream, "%" PRIu32 " %08" PRIx32 "%08" PRIx32 "\r\n", n,
			      store_view_uid(s->view, n), s->uidvalidity);
}

/* One line for the message that the argument names, or a list of all. */
static int may_suspend list(struct pop3_session *s, const struct pop3_line *line,
			    void (*write)(struct pop3_session *s, const struct pop3_message *m))
{
	if (line->count) {
		struct pop3_message *m = pop3_message_named(s, line->arg[0]);
		if (!m)
			return 0;
		pop3_answer(s, "+OK ");
		write(s, m);
		return 0;
	}
	pop3_answer(s, "+OK\r\n");
	for (uint32_t i = 0; i < s->count; i++)
		if (!pop3_message_hidden(&s->messages[i]))
			write(s, &s->messages[i]);
	return pop3_answer(s, ".\r\n");
}

int pop3_cmd_list(struct pop3_session *s, const struct pop3_line *line)
{
	return list(s, line, write_size);
}

int pop3_cmd_uidl(struct pop3_session *s, const struct pop3_line *line)
{
	return list(s, line, write_uid);
}
