/* THREAD and UID THREAD (RFC 5256). */
#include <errno.h>

#include "imap/condstore.h"
#include "imap/search_key.h"
#include "imap/search_run.h"
#include "imap/session_state.h"
#include "imap/thread.h"

static const struct {
	const char *name;
	enum imap_thread_by how;
} algorithms[] = {
	{ "ORDEREDSUBJECT", IMAP_THREAD_ORDEREDSUBJECT },
	{ "REFERENCES", IMAP_THREAD_REFERENCES },
	{ "REFS", IMAP_THREAD_REFS },
};

static int parse_algorithm(struct imap_lexer *lx, enum imap_thread_by *out)
{
	struct str name;
	int r;

	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_atom(lx, &name)) < 0 ||
	    (r = imap_lexer_space(lx)) < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (!str_eq_nocase(name, str_from(algorithms[i].name)))
			continue;
		*out = algorithms[i].how;
		return 0;
	}
	return imap_lexer_bad(lx, "Unknown threading algorithm");
}

int imap_cmd_thread(struct imap_session *s)
{
	struct imap_search_key *key;
	struct imap_found found;
	enum imap_thread_by how;

	int r = parse_algorithm(&s->lexer, &how);
	if (r == 0)
		r = imap_search_parse_in_charset(s, &key);
	if (r == -ENOTSUP)
		return imap_no_charset(s);
	if (r < 0)
		return r;
	if (key->asks_modseq)
		imap_condstore_enable(s);
	r = imap_search_run(s, key, &found);
	if (r == 0)
		r = imap_thread_run(s, how, &found);
	return r < 0 ? r : imap_ok(s, "Thread completed.");
}
