/* One message on its way in, from the bytes behind DATA or BDAT to a body that can be queued:
 * decoding, header, limits, storage. Whatever goes wrong is remembered, the rest is read and
 * thrown away, and the reply is given at the end, where SMTP wants it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/err.h"
#include "base/str.h"
#include "smtp/body.h"
#include "smtp/data.h"
#include "smtp/head.h"
#include "smtp/parts.h"

struct arena;

struct smtp_receive_limits {
	struct smtp_head_limits head;
	size_t hops;
	uint64_t size; /* bytes of the message; 0: any */
	uint64_t line; /* bytes of a line */
};

struct smtp_receive {
	struct arena *arena;
	struct smtp_receive_limits limits;
	struct smtp_head_cleaning cleaning;
	struct smtp_data decoder;
	struct smtp_head head;
	struct smtp_head_facts facts; /* when head.complete */
	struct smtp_parts *parts;     /* NULL: the body passes as it is */
	struct smtp_body body;
	uint64_t taken;	     /* bytes fed */
	const char *refusal; /* the first reason against the message: a reply */
	struct err err;	     /* for the log, where the reason is ours */
};

struct smtp_receive_options {
	enum smtp_data_policy policy;
	bool dots; /* DATA */
	struct smtp_head_cleaning cleaning;
	int spool;
	uint64_t memory_max;
	struct smtp_receive_limits limits;
};

void smtp_receive_init(struct smtp_receive *r, struct arena *a,
		       const struct smtp_receive_options *o);
void smtp_receive_done(struct smtp_receive *r);

/* Take the front of `in`; returns how much of it was used: less than all only when the end of
 * data was found. */
size_t may_suspend smtp_receive_feed(struct smtp_receive *r, struct str in);
bool smtp_receive_ended(const struct smtp_receive *r);

/* No more will come. The reply that refuses the message, or NULL: then r->body and r->facts are
 * good. */
const char *may_suspend smtp_receive_finish(struct smtp_receive *r);

/* So much more than allowed has come that the peer is not worth listening to. */
bool smtp_receive_is_hopeless(const struct smtp_receive *r);

/* The refusal is about line ends: the connection cannot be trusted any more. */
bool smtp_receive_is_smuggling(const struct smtp_receive *r);
