/* A conversation with a server session, checked line by line.
 *
 * A script is a text of lines:
 *	C: sent, with CRLF behind it
 *	c: sent as it is, without a line end
 *	S: expected; <*> stands for any text within the line
 *	U: expected, perhaps behind other lines, which are read over
 *	X  the peer has closed the connection
 *	-  what follows is not said before all above was answered
 * C2:, S2:, U2:, X2 are the same on a second connection; such scripts are not run pipelined.
 * Every script is run three times: in step, with the client's bytes one by one, and pipelined: all
 * that the client has to say up to the next continuation request at once. */
#pragma once

#include "core/fiber.h"

struct stream;

enum transcript_mode {
	TRANSCRIPT_IN_STEP,
	TRANSCRIPT_BYTEWISE,
	TRANSCRIPT_PIPELINED,
	TRANSCRIPT_MODES
};

/* Serves one connection; the stream is freed afterwards by the caller. */
typedef void may_suspend transcript_server(struct stream *s, void *ctx);

/* Inside a cmocka test: fails it at the first difference. Starts and ends a loop of its own. */
void transcript_run(const char *script, enum transcript_mode mode, transcript_server *serve,
		    void *ctx);
