/* UNAUTHENTICATE (RFC 8437). */
#include "imap/session_state.h"

int imap_cmd_unauthenticate(struct imap_session *s)
{
	int r = imap_lexer_end(&s->lexer);
	if (r < 0)
		return r;
	if (!s->params->may_unauthenticate)
		return imap_no(s, "[LIMIT] Open a new connection for the next login.");
	/* The state of the compression is in this process, the next login may be another's. */
	if (stream_layer(s->stream))
		return imap_no(s, "[CANNOT] Not on a compressed connection.");
	s->ended = true;
	s->end = IMAP_SESSION_UNAUTHENTICATED;
	return imap_ok(s, "Unauthenticated.");
}
