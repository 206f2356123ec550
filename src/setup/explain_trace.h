/* What this server wrote on top of a message when it took it: who sent it, and what was found
 * then. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;

#define EXPLAIN_RESULTS_MAX 8

struct explain_trace {
	bool ours; /* there is a Received field of this server; nothing else is set otherwise */
	bool submitted; /* by a user or a program of this server: it says no client */
	struct str id;
	struct str client_address, helo;
	struct str sender; /* of Return-Path */
	bool has_sender;
	struct str results[EXPLAIN_RESULTS_MAX]; /* Authentication-Results, Received-SPF */
	size_t result_count;
	size_t size; /* of all these lines: the message itself stands behind them */
};

/* `message` has CRLF line ends; `server` is our name. Values are on one line each, and live in `a`
 * or in the message. */
void explain_trace_read(struct str message, struct str server, struct arena *a,
			struct explain_trace *out);
