/* STORE and UID STORE (RFC 3501 6.4.6), EXPUNGE (6.4.3) and UID EXPUNGE (RFC 4315). */
#include <errno.h>

#include "imap/flags.h"
#include "imap/seqset.h"
#include "imap/session_state.h"
#include "imap/view.h"

#define RESPONSE_MAX	  8192
#define MESSAGES_PER_UNIT 100

static const struct {
	const char *name;
	enum store_change_op op;
	bool silent;
} store_ops[] = {
	{ "FLAGS", STORE_FLAGS_REPLACE, false }, { "FLAGS.SILENT", STORE_FLAGS_REPLACE, true },
	{ "+FLAGS", STORE_FLAGS_ADD, false },	 { "+FLAGS.SILENT", STORE_FLAGS_ADD, true },
	{ "-FLAGS", STORE_FLAGS_REMOVE, false }, { "-FLAGS.SILENT", STORE_FLAGS_REMOVE, true },
};

static int parse_op(struct imap_lexer *lx, struct store_change *change)
{
	struct str name;

	int r = imap_lexer_atom(lx, &name);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(store_ops); i++) {
		if (!str_eq_nocase(name, str_from(store_ops[i].name)))
			continue;
		change->op = store_ops[i].op;
		change->silent = store_ops[i].silent;
		return 0;
	}
	return imap_lexer_bad(lx, "Expected FLAGS, +FLAGS or -FLAGS");
}

/* The bits of the keywords named; new ones are made unless they are to be removed. */
static int keyword_bits(struct imap_session *s, const struct store_mark *mark,
			struct store_change *change)
{
	bool create = change->op != STORE_FLAGS_REMOVE;
	struct err err;

	for (size_t i = 0; i < mark->nkeywords; i++) {
		int bit = store_view_keyword(s->view, mark->keywords[i], create, &err);
		if (bit == -ENOENT && !create)
			continue;
		if (bit < 0)
			return bit;
		change->keywords |= UINT64_C(1) << bit;
	}
	return 0;
}

/* RFC 3501 6.4.6: the new flags, as if they had been fetched; also where they are the old ones. */
static int may_suspend write_flags(struct imap_session *s, const struct imap_seqset *set)
{
	struct store_message m;
	struct buf b;
	int r = 0;

	buf_init(&b, &s->arena, RESPONSE_MAX);
	for (size_t i = 0; i < set->count; i++)
		for (uint32_t n = set->ranges[i].first; n <= set->ranges[i].last && r == 0; n++) {
			r = imap_work(s, n % MESSAGES_PER_UNIT == 0);
			if (store_view_message(s->view, n, &m) < 0)
				continue;
			buf_printf(&b, "* %u FETCH (", n);
			if (s->uid)
				buf_printf(&b, "UID %u ", m.uid);
			imap_view_write_message_flags(s, &b, &m);
			buf_puts(&b, ")\r\n");
			imap_send(s, &b);
		}
	return r;
}

int imap_cmd_store(struct imap_session *s)
{
	struct store_change change = { .unchanged_since = UINT64_MAX, .a = &s->arena };
	struct imap_lexer *lx = &s->lexer;
	struct imap_seqset seqs;
	struct store_uids uids;
	struct store_mark mark;
	struct err err;
	int r;

	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_view_parse_set(s, &seqs)) < 0 ||
	    (r = imap_lexer_space(lx)) < 0 || (r = parse_op(lx, &change)) < 0 ||
	    (r = imap_lexer_space(lx)) < 0 || (r = imap_flags_parse(lx, &mark)) < 0 ||
	    (r = imap_lexer_end(lx)) < 0)
		return r;

	bool tell = !change.silent;
	change.silent = true;
	change.flags = mark.flags;
	r = keyword_bits(s, &mark, &change);
	if (r == -E2BIG)
		return imap_no(s, "[LIMIT] The mailbox has no room for more keywords.");
	if (r < 0)
		return imap_no_store(s, r, &err);
	imap_view_uids(s, &seqs, &uids);
	r = store_view_change(s->view, &uids, &change, NULL, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	if (tell) {
		/* First what a client needs to understand them: new keywords. */
		r = imap_view_sync(s, STORE_SYNC_KEEP_EXPUNGED | STORE_SYNC_NO_DISK);
		if (r < 0 || s->ended)
			return r;
		r = write_flags(s, &seqs);
	}
	return r < 0 ? r : imap_ok(s, "Store completed.");
}

int imap_cmd_expunge(struct imap_session *s)
{
	struct imap_seqset seqs;
	struct store_uids uids;
	struct err err;
	int r;

	if (s->uid) {
		if ((r = imap_lexer_space(&s->lexer)) < 0 ||
		    (r = imap_view_parse_set(s, &seqs)) < 0)
			return r;
		imap_view_uids(s, &seqs, &uids);
	}
	if ((r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	r = store_view_expunge(s->view, s->uid ? &uids : NULL, &err);
	return r < 0 ? imap_no_store(s, r, &err) : imap_ok(s, "Expunge completed.");
}
