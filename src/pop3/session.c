#include "pop3/session.h"

#include <errno.h>
#include <string.h>

#include "core/log.h"
#include "core/stream.h"
#include "pop3/login.h"
#include "pop3/session_state.h"
#include "store/store.h"

#define SESSION_ERRORS_MAX 20

int pop3_answer(struct pop3_session *s, const char *text)
{
	stream_puts(s->stream, text);
	return 0;
}

int pop3_answer_error(struct pop3_session *s, const char *text)
{
	s->errors++;
	stream_printf(s->stream, "-ERR %s\r\n", text);
	return 0;
}

uint32_t pop3_message_number(const struct pop3_session *s, const struct pop3_message *m)
{
	return (uint32_t)(m - s->messages) + 1;
}

struct pop3_message *pop3_message_named(struct pop3_session *s, struct str number)
{
	uint32_t n;

	if (pop3_number_parse(number, &n) < 0) {
		pop3_answer_error(s, "That is no message number.");
		return NULL;
	}
	if (n < 1 || n > s->count || pop3_message_hidden(&s->messages[n - 1])) {
		pop3_answer_error(s, "There is no such message.");
		return NULL;
	}
	return &s->messages[n - 1];
}

static int may_suspend cmd_capa(struct pop3_session *s, const struct pop3_line *line)
{
	(void)line;
	pop3_answer(s, "+OK\r\n");
	pop3_answer(s, pop3_capabilities);
	return pop3_answer(s, ".\r\n");
}

static int may_suspend cmd_noop(struct pop3_session *s, const struct pop3_line *line)
{
	(void)line;
	return pop3_answer(s, "+OK\r\n");
}

static const struct {
	const char *keyword;
	unsigned args_min, args_max;
	pop3_command_fn *run;
} commands[] = {
	{ "STAT", 0, 0, pop3_cmd_stat }, { "LIST", 0, 1, pop3_cmd_list },
	{ "RETR", 1, 1, pop3_cmd_retr }, { "DELE", 1, 1, pop3_cmd_dele },
	{ "NOOP", 0, 0, cmd_noop },	 { "RSET", 0, 0, pop3_cmd_rset },
	{ "QUIT", 0, 0, pop3_cmd_quit }, { "TOP", 2, 2, pop3_cmd_top },
	{ "UIDL", 0, 1, pop3_cmd_uidl }, { "CAPA", 0, 0, cmd_capa },
};

static int may_suspend dispatch(struct pop3_session *s, struct str text)
{
	struct pop3_line line = pop3_line_parse(text);

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!str_eq_nocase(line.keyword, str_from(commands[i].keyword)))
			continue;
		if (line.count < commands[i].args_min || line.count > commands[i].args_max)
			return pop3_answer_error(s, "Wrong number of arguments.");
		return commands[i].run(s, &line);
	}
	return pop3_answer_error(s, "Unknown command.");
}

static int may_suspend one_command(struct pop3_session *s)
{
	struct str text;
	int r = stream_read_line(s->stream, POP3_LINE_MAX, &text);

	if (r == -EMSGSIZE) {
		r = stream_skip_line(s->stream);
		return r < 0 ? r : pop3_answer_error(s, "Line too long.");
	}
	if (r < 0)
		return r;
	unsigned errors = s->errors;
	r = dispatch(s, arena_str(&s->command, text));
	if (s->errors == errors)
		s->errors = 0;
	arena_reset(&s->command);
	return r;
}

/* The maildrop as it is now: numbers and sizes stay for the whole session. */
static int load_maildrop(struct pop3_session *s)
{
	struct store_status status;

	store_view_status(s->view, &status);
	s->uidvalidity = status.uidvalidity;
	s->count = store_view_count(s->view);
	s->messages = ARENA_NEW_ARRAY(&s->memory, struct pop3_message, s->count + 1);
	for (uint32_t i = 0; i < s->count; i++) {
		struct store_message m;
		int r = store_view_message_full(s->view, i + 1, &m, &s->err);
		if (r == -ENOENT)
			s->messages[i].gone = true;
		else if (r < 0)
			return r;
		else
			s->messages[i].size = m.wire_size;
	}
	return 0;
}

static int open_maildrop(struct pop3_session *s, const struct pop3_session_params *p)
{
	int r = store_open(p->pool, p->mail_path, &s->store, &s->err);

	if (r == 0)
		r = store_view_open(s->store, STR("INBOX"), STORE_VIEW_KEEP_RECENT, &s->view,
				    &s->err);
	return r == 0 ? load_maildrop(s) : r;
}

static enum pop3_session_end end_of(int r)
{
	switch (r) {
	case 0:
		return POP3_SESSION_LOGOUT;
	case -ETIMEDOUT:
		return POP3_SESSION_TIMEOUT;
	case -ECANCELED:
		return POP3_SESSION_CANCELLED;
	default:
		return POP3_SESSION_DISCONNECTED;
	}
}

static enum pop3_session_end may_suspend serve(struct pop3_session *s)
{
	int r = pop3_answer(s, "+OK Logged in.\r\n");

	while (r == 0 && !s->quit) {
		if (s->errors >= SESSION_ERRORS_MAX) {
			pop3_answer(s, "-ERR Too many errors.\r\n");
			(void)!stream_flush(s->stream);
			return POP3_SESSION_REFUSED;
		}
		r = one_command(s);
	}
	if (r == 0)
		r = stream_flush(s->stream);
	/* RFC 1939 3: after too long a silence nothing is said. */
	if (r == -ECANCELED)
		stream_say_last(s->stream, "-ERR [SYS/TEMP] Server shutting down.\r\n");
	return end_of(r);
}

enum pop3_session_end pop3_session_run(const struct pop3_session_params *p)
{
	struct pop3_session s = { .stream = p->stream };
	enum pop3_session_end end = POP3_SESSION_REFUSED;

	arena_init(&s.memory);
	arena_init(&s.command);
	stream_set_idle(s.stream, p->idle_ms);
	if (open_maildrop(&s, p) == 0) {
		end = serve(&s);
	} else {
		log_event(LOG_SESSION_FAILED, LOG_CSTR("command", "login"), LOG_REASON(&s.err));
		pop3_answer(&s, "-ERR [SYS/TEMP] The mailbox cannot be opened now, try again "
				"later.\r\n");
		(void)!stream_flush(s.stream);
	}
	store_view_close(s.view);
	if (s.store)
		store_close(s.store);
	arena_done(&s.command);
	arena_done(&s.memory);
	return end;
}
