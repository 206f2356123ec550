/* The base subject of a message (RFC 5256 2.1): what it shares with its replies. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct arena;

struct mime_base_subject {
	struct str text;  /* in the arena */
	bool is_response; /* something that marks a reply or a forwarded message was taken away */
};

/* Of a subject that is UTF-8 on one line. */
void mime_base_subject(struct str subject, struct arena *a, struct mime_base_subject *out);
