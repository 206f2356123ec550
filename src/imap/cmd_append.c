/* APPEND (RFC 3501 6.3.11), of several messages at once (RFC 3502), with APPENDUID (RFC 4315). */
#include "imap/append_message.h"
#include "imap/mailbox_name.h"
#include "imap/session_state.h"

#define MESSAGES_MAX 1000

static int may_suspend append_all(struct imap_session *s, struct store_append *ap)
{
	struct imap_lexer *lx = &s->lexer;
	int r;

	for (int n = 0; n < MESSAGES_MAX; n++) {
		r = imap_append_message(s, ap);
		if (r != IMAP_APPEND_TAKEN)
			return r;
		if (!imap_lexer_accept(lx, ' ') || imap_lexer_look(lx) < 0) {
			r = imap_lexer_end(lx);
			return r < 0 ? r : IMAP_APPEND_TAKEN;
		}
	}
	return imap_lexer_bad(lx, "Too many messages");
}

int imap_cmd_append(struct imap_session *s)
{
	struct store_append *ap;
	struct str name, code;
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_mailbox(&s->lexer, &name)) < 0 || (r = imap_lexer_space(&s->lexer)) < 0)
		return r;
	if (imap_append_begin(s, name, &ap))
		return 0;
	r = append_all(s, ap);
	if (r != IMAP_APPEND_TAKEN) {
		store_append_abort(ap);
		return r < 0 ? r : 0;
	}
	if (imap_append_finish(s, ap, &code) != 0)
		return 0;
	return imap_ok(s, "[%" STR_FMT "] Append completed.", STR_ARG(code));
}
