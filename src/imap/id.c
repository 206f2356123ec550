#include "imap/id.h"

#include "core/stream.h"
#include "imap/lexer.h"

#define ID_PAIRS_MAX 30 /* RFC 2971 3.3 */

static int may_suspend parse_pairs(struct imap_lexer *lx)
{
	for (int pairs = 0; !imap_lexer_accept(lx, ')'); pairs++) {
		struct str key, value;
		int r;
		if (pairs == ID_PAIRS_MAX)
			return imap_lexer_bad(lx, "Too many ID fields");
		if ((pairs > 0 && (r = imap_lexer_space(lx)) < 0) ||
		    (r = imap_lexer_string(lx, &key)) < 0 || (r = imap_lexer_space(lx)) < 0 ||
		    (r = imap_lexer_nstring(lx, &value)) < 0)
			return r;
	}
	return 0;
}

int imap_id_parse(struct imap_lexer *lx)
{
	int r = imap_lexer_space(lx);

	if (r == 0 && !imap_lexer_accept_word(lx, "NIL")) {
		r = imap_lexer_expect(lx, '(');
		if (r == 0)
			r = parse_pairs(lx);
	}
	return r < 0 ? r : imap_lexer_end(lx);
}

void imap_id_write(struct stream *s)
{
	stream_puts(s, "* ID (\"name\" \"Posthorn\")\r\n");
}
