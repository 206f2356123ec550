/* What the commands of one SMTP session share. Inside src/smtp only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "core/group.h"
#include "core/settings.h"
#include "core/stream.h"
#include "smtp/params.h"
#include "smtp/path.h"
#include "smtp/receive.h"
#include "smtp/service.h"
#include "smtp/verbs.h"

/* One accepted RCPT. */
struct smtp_rcpt {
	struct list item; /* in smtp_tx.rcpts */
	struct str address;
	struct smtp_rcpt_params params;
	struct smtp_target *targets;
	size_t target_count;
};

/* A mail transaction (RFC 5321 3.3): from MAIL to its end. Lives in the transaction's arena. */
struct smtp_tx {
	struct smtp_path sender;
	struct smtp_mail_params params;
	struct list rcpts;
	size_t rcpt_count, target_count, rcpts_tried;
	size_t envelope_bytes;	   /* at most what the recipients take in the envelope */
	uint64_t id;		   /* 0 before it is needed */
	struct smtp_receive *body; /* with BDAT: from the first chunk on */
	enum smtp_domain_state sender_domain;
	bool overfull; /* a recipient was one too many */
	bool failed;   /* a chunk was refused: no more of them */
};

/* How often a command was given, and how often it succeeded. */
struct smtp_tally {
	unsigned total, ok;
};

struct log_context;

struct smtp_session {
	struct smtp_service *svc;
	const struct settings *settings;
	const struct smtp_client *client;
	struct stream *stream;
	struct arena arena; /* the session's */
	struct arena tx_arena;
	struct smtp_tx *tx; /* NULL: none is open */

	struct group lookups;	    /* the fiber that asks for the name */
	struct smtp_peer_name name; /* what it has found so far */
	const char *client_name;    /* verified, or "unknown" */
	const char *peer;	    /* "name[address]", for the log */
	struct log_context *log;
	struct str helo; /* empty before EHLO */
	bool esmtp;
	bool tls;
	struct str login; /* empty: nobody */
	enum sasl_mech mech;
	bool early_talker; /* it spoke before the greeting: no recipient is accepted */

	bool closing; /* end after this command */
	int64_t deadline;
	unsigned last_code; /* of the last reply */
	unsigned errors, junk, commands, auth_failures;
	const struct smtp_verb *verb; /* the last one */
	struct smtp_tally tally[SMTP_VERB_COUNT];
};

static inline bool smtp_is_submission(const struct smtp_session *s)
{
	return s->client->port != SMTP_PORT_MX;
}

/* May it send anywhere? */
static inline bool smtp_may_relay(const struct smtp_session *s)
{
	return s->login.n || s->client->port == SMTP_PORT_LOCAL ||
	       (s->client->trusted && s->client->port == SMTP_PORT_MX);
}

/* Can TLS be had, or is it there? */
bool smtp_has_tls(const struct smtp_session *s);

/* May AUTH be used as things are? */
bool smtp_auth_allowed(const struct smtp_session *s);

/* Which parameters MAIL and RCPT take: bits of enum smtp_extension. */
unsigned smtp_extensions(const struct smtp_session *s);

const char *smtp_protocol(const struct smtp_session *s);

/* Wait for input: 1 when there is some (stream_peek), 0 at its end, or a negative error. The
 * wait ends at `deadline` with -ETIMEDOUT; then the stream still takes a last reply. */
int may_suspend must_check smtp_wait_input(struct smtp_session *s, int64_t deadline);

/* A line without its end. 0, -EMSGSIZE (too long; skipped), -EBADMSG (it holds NUL or CR), or an
 * error that ends the session. Lives until the next read. */
int may_suspend must_check smtp_read_line(struct smtp_session *s, size_t max, struct str *line);

/* Say why the session cannot go on after `error`, if the peer can still hear it, and close. */
void may_suspend smtp_abandon(struct smtp_session *s, int error);

/* Begin and end a transaction; ending without one is fine. */
struct smtp_tx *smtp_tx_begin(struct smtp_session *s);
void smtp_tx_end(struct smtp_session *s);

/* Start receiving the body of the transaction. */
struct smtp_receive *smtp_tx_receive(struct smtp_session *s, bool dots);

/* The message is complete: refuse it, or hand it to the queue and reply what came of it. */
void may_suspend smtp_tx_finish(struct smtp_session *s, struct smtp_receive *r);
