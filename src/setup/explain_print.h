/* How an explanation looks: a table for people, or JSON. */
#pragma once

#include <stdbool.h>

#include "filter/explain_ipc.h"
#include "setup/explain_log.h"
#include "setup/explain_message.h"

/* Where the message came from, as far as it is known. */
struct explain_origin {
	struct str client_address, helo, sender;
	const char *client_from, *helo_from, *sender_from; /* "option", "Received", ... or NULL */
};

struct explanation {
	struct explain_message message;
	struct explain_log log;
	struct explain_origin origin;
	const struct explain_message_out *now; /* NULL: not checked */
};

void explain_print_past(struct setup *s, const struct explanation *e);
void explain_print_now(const struct explanation *e);
void explain_print_json(struct setup *s, const struct explanation *e);

/* What comes of the answer: "accept", "quarantine", "reject". */
const char *explain_action_word(unsigned action);
