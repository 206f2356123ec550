/* STORE and UID STORE (RFC 3501 6.4.6, RFC 7162 3.1.3), EXPUNGE (6.4.3) and UID EXPUNGE (RFC
 * 4315). */
#include <errno.h>

#include "imap/box.h"
#include "imap/condstore.h"
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

/* RFC 3501 6.4.6: the new flags, as if they had been fetched; also where they are the old ones. RFC
 * 7162 3.1.3: a silent STORE still tells mod-sequences, of what it has changed. */
static int may_suspend write_flags(struct imap_session *s, const struct imap_seqset *set,
				   bool silent, const struct store_uids *modified)
{
	struct store_message m;
	struct buf b;
	int r = 0;

	buf_init(&b, &s->arena, RESPONSE_MAX);
	for (size_t i = 0; i < set->count; i++)
		for (uint32_t n = set->ranges[i].first; n <= set->ranges[i].last && r == 0; n++) {
			r = imap_work(s, n % MESSAGES_PER_UNIT == 0);
			if (store_view_message(s->view, n, &m) < 0 ||
			    (silent && store_uids_has(modified, m.uid)))
				continue;
			imap_condstore_put_fetch(s, &b, n, &m, !silent);
			imap_send(s, &b);
		}
	return r;
}

static int may_suspend tell(struct imap_session *s, const struct imap_seqset *seqs, bool silent,
			    const struct store_uids *modified)
{
	if (silent && !(s->enabled & IMAP_ENABLED_CONDSTORE))
		return 0;
	/* First what a client needs to understand them: new keywords. */
	int r = imap_view_sync(s, STORE_SYNC_KEEP_EXPUNGED | STORE_SYNC_NO_DISK);
	return r < 0 || s->ended ? r : write_flags(s, seqs, silent, modified);
}

static int answer(struct imap_session *s, const struct store_uids *modified)
{
	struct buf b;

	if (!modified->n)
		return imap_ok(s, "Store completed.");
	buf_init(&b, &s->arena, SIZE_MAX / 2);
	imap_condstore_put_modified(s, &b, modified);
	return imap_ok(s, "[%" STR_FMT "] Some had changed.", STR_ARG(buf_str(&b)));
}

/* (UNCHANGEDSINCE modseq) */
static int may_suspend parse_modifier(struct imap_session *s, struct store_change *change)
{
	struct imap_lexer *lx = &s->lexer;
	int r;

	if (!imap_lexer_accept(lx, '('))
		return 0;
	if (!imap_lexer_accept_word(lx, "UNCHANGEDSINCE") || !imap_view_has_modseq(s))
		return imap_lexer_bad(lx, "Unknown modifier");
	if ((r = imap_lexer_space(lx)) < 0 ||
	    (r = imap_lexer_modseq(lx, &change->unchanged_since)) < 0 ||
	    (r = imap_lexer_expect(lx, ')')) < 0)
		return r;
	change->conditional = true;
	return imap_lexer_space(lx);
}

/* RFC 4314 4: what the user may not change stays as it is. False when nothing is left, or when the
 * other flags would have to be known to leave them alone. */
static bool keep_allowed(struct imap_session *s, struct store_mark *mark, enum store_change_op op)
{
	uint32_t rights = s->view_rights, allowed = imap_flags_allowed(rights);
	bool all = allowed == STORE_FLAGS_ALL;

	if (op == STORE_FLAGS_REPLACE || all)
		return all;
	bool asked = mark->flags || mark->nkeywords;
	mark->flags &= allowed;
	if (!(rights & STORE_RIGHT_WRITE))
		mark->nkeywords = 0;
	return !asked || mark->flags || mark->nkeywords;
}

int imap_cmd_store(struct imap_session *s)
{
	struct store_change change = { .unchanged_since = UINT64_MAX, .a = &s->arena };
	struct store_uids uids, modified = { 0 };
	struct imap_lexer *lx = &s->lexer;
	struct imap_seqset seqs;
	struct store_mark mark;
	struct err err;
	int r;

	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_view_parse_set(s, &seqs)) < 0 ||
	    (r = imap_lexer_space(lx)) < 0 || (r = parse_modifier(s, &change)) < 0 ||
	    (r = parse_op(lx, &change)) < 0 || (r = imap_lexer_space(lx)) < 0 ||
	    (r = imap_flags_parse(lx, &mark)) < 0 || (r = imap_lexer_end(lx)) < 0)
		return r;

	if (!keep_allowed(s, &mark, change.op)) {
		imap_box_refuse(s, s->view_rights);
		return 0;
	}
	bool silent = change.silent;
	change.silent = true;
	change.flags = mark.flags;
	if (change.conditional)
		imap_condstore_enable(s);
	r = keyword_bits(s, &mark, &change);
	if (r == -E2BIG)
		return imap_no(s, "[LIMIT] The mailbox has no room for more keywords.");
	if (r < 0)
		return imap_no_store(s, r, &err);
	imap_view_uids(s, &seqs, &uids);
	r = store_view_change(s->view, &uids, &change, &modified, &err);
	if (r == 0)
		r = imap_commit_view(s, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	r = tell(s, &seqs, silent, &modified);
	return r < 0 || s->ended ? r : answer(s, &modified);
}

int imap_cmd_expunge(struct imap_session *s)
{
	struct imap_seqset seqs;
	struct store_uids uids;
	struct str code;
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
	if (!(s->view_rights & STORE_RIGHT_EXPUNGE)) {
		imap_box_refuse(s, s->view_rights);
		return 0;
	}
	r = store_view_expunge(s->view, s->uid ? &uids : NULL, &err);
	if (r > 0)
		r = imap_commit_view(s, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	r = imap_condstore_code(s, &code);
	return r < 0 || s->ended ? r : imap_ok(s, "%" STR_FMT "Expunge completed.", STR_ARG(code));
}
