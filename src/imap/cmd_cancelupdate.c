/* CANCELUPDATE (RFC 5267 4.3.5). */
#include <errno.h>

#include "imap/search_context.h"
#include "imap/session_state.h"

int imap_cmd_cancelupdate(struct imap_session *s)
{
	struct str tags[IMAP_CONTEXTS_MAX];
	size_t n = 0;
	int r;

	do {
		if (n == IMAP_CONTEXTS_MAX)
			return imap_lexer_bad(&s->lexer, "Too many tags");
		if ((r = imap_lexer_space(&s->lexer)) < 0 ||
		    (r = imap_lexer_string(&s->lexer, &tags[n++])) < 0)
			return r;
	} while (imap_lexer_look(&s->lexer) == ' ');
	if ((r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (imap_context_remove(s, tags[i]) == -ENOENT)
			r = -ENOENT;
	return r < 0 ? imap_no(s, "No search with such a tag is kept up to date.")
		     : imap_ok(s, "No more updates.");
}
