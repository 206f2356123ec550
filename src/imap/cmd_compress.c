/* COMPRESS (RFC 4978). */
#include "imap/session_state.h"

int imap_cmd_compress(struct imap_session *s)
{
	struct str name;
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 || (r = imap_lexer_atom(&s->lexer, &name)) < 0 ||
	    (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	if (!str_eq_nocase(name, STR("DEFLATE")))
		return imap_no(s, "[CANNOT] Only DEFLATE is known.");
	if (stream_layer(s->stream))
		return imap_no(s, "[COMPRESSIONACTIVE] DEFLATE is active already.");
	/* RFC 4978 3: begins behind the tagged answer. */
	s->starts_deflate = true;
	return imap_ok(s, "DEFLATE active.");
}
