/* DELE, RSET (RFC 1939 section 5) and the UPDATE state that QUIT enters (section 6). */
#include <errno.h>

#include "core/log.h"
#include "pop3/session_state.h"
#include "store/store.h"

int pop3_cmd_dele(struct pop3_session *s, const struct pop3_line *line)
{
	struct pop3_message *m = pop3_message_named(s, line->arg[0]);

	if (!m)
		return 0;
	m->deleted = true;
	return pop3_answer(s, "+OK Marked to be deleted.\r\n");
}

int pop3_cmd_rset(struct pop3_session *s, const struct pop3_line *line)
{
	(void)line;
	for (uint32_t i = 0; i < s->count; i++)
		s->messages[i].deleted = false;
	return pop3_answer(s, "+OK\r\n");
}

/* What was fetched counts as read, as with Dovecot. */
static int mark_seen(struct pop3_session *s)
{
	struct store_uids seen = { 0 };
	struct store_change change = { .op = STORE_FLAGS_ADD,
				       .flags = STORE_SEEN,
				       .silent = true,
				       .unchanged_since = UINT64_MAX };

	for (uint32_t i = 0; i < s->count; i++)
		if (s->messages[i].retrieved && !pop3_message_hidden(&s->messages[i]))
			store_uids_add(&s->command, &seen, store_view_uid(s->view, i + 1));
	return seen.n ? store_view_change(s->view, &seen, &change, NULL, &s->err) : 0;
}

static int remove_deleted(struct pop3_session *s)
{
	struct store_uids doomed = { 0 };

	for (uint32_t i = 0; i < s->count; i++)
		if (s->messages[i].deleted && !s->messages[i].gone)
			store_uids_add(&s->command, &doomed, store_view_uid(s->view, i + 1));
	return doomed.n ? store_view_remove(s->view, &doomed, &s->err) : 0;
}

int pop3_cmd_quit(struct pop3_session *s, const struct pop3_line *line)
{
	(void)line;
	s->quit = true;
	int marked = mark_seen(s);
	int removed = remove_deleted(s);
	if (marked < 0 || removed < 0)
		log_event(LOG_SESSION_FAILED, LOG_CSTR("command", "QUIT"), LOG_REASON(&s->err));
	return pop3_answer(
		s, removed < 0 ? "-ERR [SYS/TEMP] Some deleted messages were not removed.\r\n"
			       : "+OK Logging out.\r\n");
}
