/* The state of a POP3 session; for its own files alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "pop3/line.h"

struct stream;
struct store;
struct store_uids;
struct store_view;

/* One message of the maildrop, which does not change during the session (RFC 1939 3). Its number is
 * its place: the view is never synchronised, so the store's sequence numbers stay the same. */
struct pop3_message {
	uint64_t size; /* octets with CRLF */
	bool deleted;  /* marked by DELE */
	bool gone;     /* by another hand, before the session began */
	bool retrieved;
};

static inline bool pop3_message_hidden(const struct pop3_message *m)
{
	return m->deleted || m->gone;
}

struct pop3_session {
	struct stream *stream;
	struct store *store;
	struct store_view *view;
	uint32_t uidvalidity;
	struct pop3_message *messages; /* [0] is message 1 */
	uint32_t count;
	struct arena memory;  /* of the session */
	struct arena command; /* reset after each command */
	struct err err;
	bool quit;
	unsigned errors; /* in a row */
};

/* Append to the answer. All return 0: the session goes on. */
int may_suspend pop3_answer(struct pop3_session *s, const char *text);
int may_suspend pop3_answer_error(struct pop3_session *s, const char *text);

/* The message that an argument names, or NULL after an answer that says why not. */
struct pop3_message *may_suspend pop3_message_named(struct pop3_session *s, struct str number);
uint32_t pop3_message_number(const struct pop3_session *s, const struct pop3_message *m);

/* One function per command: 0, or the error that ends the session. */
typedef int pop3_command_fn(struct pop3_session *s, const struct pop3_line *line);

pop3_command_fn pop3_cmd_stat, pop3_cmd_list, pop3_cmd_uidl; /* cmd_list.c */
pop3_command_fn pop3_cmd_retr, pop3_cmd_top;		     /* cmd_retrieve.c */
pop3_command_fn pop3_cmd_dele, pop3_cmd_rset, pop3_cmd_quit; /* cmd_update.c */
