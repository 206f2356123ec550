#include "imap/fetch_modifiers.h"

#include "imap/condstore.h"
#include "imap/session_state.h"

static int parse_one(struct imap_session *s, struct imap_fetch_modifiers *out)
{
	struct imap_lexer *lx = &s->lexer;
	int r;

	if (imap_lexer_accept_word(lx, "VANISHED")) {
		out->vanished = true;
		return 0;
	}
	if (imap_lexer_accept_word(lx, "PARTIAL")) {
		out->is_partial = true;
		return imap_partial_parse(lx, &out->partial);
	}
	if (!imap_lexer_accept_word(lx, "CHANGEDSINCE") || !imap_view_has_modseq(s))
		return imap_lexer_bad(lx, "Unknown modifier");
	out->since = true;
	r = imap_lexer_space(lx);
	return r < 0 ? r : imap_lexer_modseq(lx, &out->changed_since);
}

int imap_fetch_modifiers_parse(struct imap_session *s, struct imap_fetch_modifiers *out)
{
	struct imap_lexer *lx = &s->lexer;
	int r;

	*out = (struct imap_fetch_modifiers){ 0 };
	if (!imap_lexer_accept(lx, ' ') || imap_lexer_look(lx) < 0)
		return 0;
	if ((r = imap_lexer_expect(lx, '(')) < 0)
		return r;
	do {
		r = parse_one(s, out);
		if (r < 0)
			return r;
	} while (imap_lexer_accept(lx, ' '));
	/* RFC 7162 3.2.6 */
	if (out->vanished && (!s->uid || !out->since || !(s->enabled & IMAP_ENABLED_QRESYNC)))
		return imap_lexer_bad(lx, "VANISHED goes with UID FETCH, CHANGEDSINCE and QRESYNC");
	return imap_lexer_expect(lx, ')');
}
