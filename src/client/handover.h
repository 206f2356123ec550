/* Hand one message to the running server over SMTP: as its port 25 takes mail from anybody, or
 * through its socket for programs of this machine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

struct err;
struct settings;

struct handover {
	struct str sender; /* empty: <> */
	const struct str *recipients;
	size_t recipient_count;
	struct str head; /* what comes before the rest of the message */
	int fd;		 /* the rest, read to its end; lines may end with LF alone */
	bool local;	 /* through the socket */
};

enum handover_outcome {
	HANDOVER_DONE,
	HANDOVER_LATER,	  /* nobody there, or a 4xx */
	HANDOVER_NO_USER, /* a recipient is refused: nobody gets it */
	HANDOVER_REFUSED, /* the message is */
};

/* Can the address stand between < and > without ending the command? */
bool handover_may_send(struct str address);

/* A sender as programs give it, perhaps with its angle brackets; <> where it cannot be sent. */
struct str handover_sender(struct str given);

/* The exit status (sysexits.h) that tells a calling program what came of it. */
int handover_status(enum handover_outcome outcome);

/* DONE means that the server has it safely. What else there is to say is in *err. */
enum handover_outcome must_check handover_run(const struct handover *h, const struct settings *set,
					      struct err *err);
