/* Hand one message to the running server over SMTP, as its port 25 takes mail from anybody. */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct err;
struct settings;

struct handover {
	struct str sender;    /* empty: <> */
	struct str recipient; /* for whom it is */
	int fd;		      /* the message, read to its end; lines may end with LF alone */
};

enum handover_outcome {
	HANDOVER_DONE,
	HANDOVER_LATER,	  /* nobody there, or a 4xx */
	HANDOVER_NO_USER, /* the recipient is refused */
	HANDOVER_REFUSED, /* the message is */
};

/* DONE means that the server has it safely. What else there is to say is in *err. */
enum handover_outcome must_check handover_run(const struct handover *h, const struct settings *set,
					      struct err *err);
