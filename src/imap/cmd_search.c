/* SEARCH and UID SEARCH (RFC 3501 6.4.4, 6.4.8). */
#include <errno.h>

#include "imap/condstore.h"
#include "imap/search_context.h"
#include "imap/search_key.h"
#include "imap/search_return.h"
#include "imap/search_run.h"
#include "imap/session_state.h"

int imap_no_charset(struct imap_session *s)
{
	return imap_no(s, "[BADCHARSET (US-ASCII UTF-8)] Unknown charset.");
}

int imap_cmd_search(struct imap_session *s)
{
	struct imap_search_key *key;
	struct imap_return how;
	struct imap_found found;
	struct store_status st;

	int r = imap_return_parse(s, &how);
	if (r == 0)
		r = imap_search_parse(s, &key);
	if (r == -ENOTSUP) {
		imap_return_failed(s, &how);
		return imap_no_charset(s);
	}
	if (r < 0)
		return r;
	how.modseq = key->asks_modseq;
	if (how.modseq)
		imap_condstore_enable(s);
	/* What changes while it is searched for is looked at again. */
	store_view_status(s->view, &st);
	r = imap_search_run(s, key, &found);
	if (r == 0)
		r = imap_return_write(s, &how, "SEARCH", &found);
	if (r == 0 && how.what & IMAP_RETURN_UPDATE)
		imap_context_add(s, key, &found, st.modseq);
	return r < 0 ? r : imap_ok(s, "Search completed.");
}
