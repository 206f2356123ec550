/* SORT and UID SORT (RFC 5256), with RETURN (RFC 5267). */
#include <errno.h>

#include "imap/condstore.h"
#include "imap/search_context.h"
#include "imap/search_key.h"
#include "imap/search_return.h"
#include "imap/search_run.h"
#include "imap/session_state.h"
#include "imap/sort.h"

int imap_cmd_sort(struct imap_session *s)
{
	struct imap_search_key *key;
	struct imap_return how;
	struct imap_sort order;
	struct imap_found found;

	int r = imap_return_parse(s, &how);
	if (r == 0)
		r = imap_sort_parse(&s->lexer, &order);
	if (r == 0)
		r = imap_lexer_space(&s->lexer);
	if (r == 0)
		r = imap_search_parse_in_charset(s, &key);
	if (r == -ENOTSUP) {
		imap_return_failed(s, &how);
		return imap_no_charset(s);
	}
	if (r < 0)
		return r;
	how.sorted = true;
	how.extended = how.given;
	how.modseq = key->asks_modseq;
	if (how.modseq)
		imap_condstore_enable(s);
	r = imap_search_run(s, key, &found);
	if (r == 0)
		r = imap_sort_run(s, &order, &found);
	if (r == 0)
		r = imap_return_write(s, &how, "SORT", &found);
	if (r == 0 && how.what & IMAP_RETURN_UPDATE)
		imap_context_refuse(s);
	return r < 0 ? r : imap_ok(s, "Sort completed.");
}
