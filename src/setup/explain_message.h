/* The message that is explained, wherever it was found. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "setup/explain_trace.h"
#include "setup/setup.h"

struct err;
struct ipc_client;

#define EXPLAIN_MESSAGE_MAX ((size_t)1 << 30)

struct explain_message {
	struct str wanted; /* as it was asked for, a Message-ID without its brackets */
	struct str where;  /* "file x", "queue"; empty: the message itself was not found */
	struct str text;   /* as it is on the wire: with CRLF */
	struct str message_id;
	uint64_t id;	 /* in the queue; 0: not known */
	unsigned others; /* with the same Message-ID that were not chosen */
	struct explain_trace trace;

	/* What the history or the queue knows of its arrival. */
	bool in_history, has_sender;
	struct str sender, client_address, login;
};

/* From a file, "-" being standard input. */
enum setup_exit explain_message_read(struct setup *s, struct str name, struct explain_message *out);

/* By queue id or Message-ID: in the history and the log, then in the queue (NULL: it is not to be
 * had), then in all mailboxes. 0, also when only its id is known; -ENOENT when not even that;
 * -EXXX. */
int may_suspend must_check explain_message_find(struct setup *s, struct ipc_client *queue,
						struct str wanted, struct explain_message *out,
						struct err *err);

/* Private to the two files: take a message as it was found. */
void explain_message_take(struct setup *s, struct str where, struct str text,
			  struct explain_message *out);
