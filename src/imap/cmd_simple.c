/* The commands that need few words (RFC 3501 6.1, 6.4.1; RFC 2342, 2971). */
#include "imap/box.h"
#include "imap/id.h"
#include "imap/session_state.h"
#include "imap/view.h"

int imap_cmd_capability(struct imap_session *s)
{
	int r = imap_lexer_end(&s->lexer);
	if (r < 0)
		return r;
	stream_puts(s->stream, "* CAPABILITY ");
	stream_write(s->stream, imap_session_capabilities(s));
	stream_puts(s->stream, "\r\n");
	return imap_ok(s, "Capabilities listed.");
}

/* What is new is told behind every command: nothing is left to do here. */
int imap_cmd_noop(struct imap_session *s)
{
	int r = imap_lexer_end(&s->lexer);
	return r < 0 ? r : imap_ok(s, "Nothing done.");
}

int imap_cmd_check(struct imap_session *s)
{
	int r = imap_lexer_end(&s->lexer);
	return r < 0 ? r : imap_ok(s, "Checked.");
}

int imap_cmd_id(struct imap_session *s)
{
	int r = imap_id_parse(&s->lexer);
	if (r < 0)
		return r;
	imap_id_write(s->stream);
	return imap_ok(s, "ID exchanged.");
}

int imap_cmd_logout(struct imap_session *s)
{
	int r = imap_lexer_end(&s->lexer);
	if (r < 0)
		return r;
	imap_bye(s, IMAP_SESSION_LOGOUT, "Logging out");
	return imap_ok(s, "Logged out.");
}

int imap_cmd_namespace(struct imap_session *s)
{
	int r = imap_lexer_end(&s->lexer);
	if (r < 0)
		return r;
	stream_puts(s->stream, s->params->open_account
				       ? "* NAMESPACE ((\"\" \".\")) ((\"" IMAP_SHARED_PREFIX
					 "\" \"/\")) NIL\r\n"
				       : "* NAMESPACE ((\"\" \".\")) NIL NIL\r\n");
	return imap_ok(s, "Namespaces listed.");
}

/* RFC 3501 6.4.2: without the EXPUNGE responses. */
int imap_cmd_close(struct imap_session *s)
{
	struct err err;

	int r = imap_lexer_end(&s->lexer);
	if (r < 0)
		return r;
	bool may = !s->read_only && s->view_rights & STORE_RIGHT_EXPUNGE;
	int expunged = !may ? 0 : store_view_expunge(s->view, NULL, &err);
	if (expunged > 0)
		expunged = imap_commit_view(s, &err);
	imap_view_close(s);
	return expunged < 0 ? imap_no_store(s, expunged, &err) : imap_ok(s, "Closed.");
}

/* RFC 3691 */
int imap_cmd_unselect(struct imap_session *s)
{
	int r = imap_lexer_end(&s->lexer);
	if (r < 0)
		return r;
	imap_view_close(s);
	return imap_ok(s, "Unselected.");
}
