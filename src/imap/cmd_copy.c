/* COPY (RFC 3501 6.4.7) and MOVE (RFC 6851), with COPYUID (RFC 4315). */
#include <errno.h>

#include "imap/box.h"
#include "imap/condstore.h"
#include "imap/copy_across.h"
#include "imap/flags.h"
#include "imap/mailbox_name.h"
#include "imap/quota.h"
#include "imap/seqset.h"
#include "imap/session_state.h"
#include "imap/uids_write.h"
#include "imap/view.h"

#define REMOVING (STORE_RIGHT_DELETED | STORE_RIGHT_EXPUNGE)

struct transfer {
	struct imap_seqset seqs;
	struct store_uids set;
	struct imap_box to;
	struct store_copied done;
	struct err err;
};

/* 0, 1 when s->reply says why it is refused, or below 0. */
static int may_suspend parse(struct imap_session *s, struct transfer *out)
{
	struct str name;
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 || (r = imap_view_parse_set(s, &out->seqs)) < 0 ||
	    (r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_mailbox(&s->lexer, &name)) < 0 || (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	imap_view_uids(s, &out->seqs, &out->set);
	return imap_box_find(s, name, STORE_RIGHT_INSERT, &out->to);
}

typedef int transfer_fn(struct store_view *v, const struct store_copy_args *args,
			struct store_copied *out, struct err *err);

static int may_suspend within(struct imap_session *s, struct transfer *t, transfer_fn *fn)
{
	struct store_commit *commit = store_commit_new();
	struct store_copy_args args = {
		.set = &t->set, .to = t->to.name, .commit = commit, .a = &s->arena
	};

	int r = fn(s->view, &args, &t->done, &t->err);
	if (r < 0) {
		store_commit_free(commit);
		return r;
	}
	return imap_commit(commit, &t->err);
}

/* Within an account a message's file is linked or renamed, with all of its flags. */
static bool is_within(struct imap_session *s, const struct transfer *t)
{
	return t->to.store == s->view_store && imap_flags_allowed(t->to.rights) == STORE_FLAGS_ALL;
}

/* Do it and make it durable. */
static int may_suspend transfer(struct imap_session *s, struct transfer *t, bool move)
{
	if (is_within(s, t))
		return within(s, t, move ? store_view_move : store_view_copy);
	int r = imap_copy_across(s, &t->seqs, &t->to, &t->done, &t->err);
	/* Only what was copied goes: others may have come to be expunged meanwhile. */
	if (r == 0 && move && t->done.n)
		r = store_view_remove(s->view, &t->done.from, &t->err);
	return r > 0 ? imap_commit_view(s, &t->err) : r;
}

/* "[COPYUID 1 2:3 4:5] ", empty when nothing was copied. */
static struct str copyuid(struct imap_session *s, const struct store_copied *done)
{
	struct buf b;

	if (!done->n)
		return STR("");
	buf_init(&b, &s->arena, SIZE_MAX / 2);
	buf_printf(&b, "[COPYUID %u ", done->uidvalidity);
	imap_uids_write(&b, &done->from);
	buf_putc(&b, ' ');
	imap_uids_write(&b, &done->to);
	buf_puts(&b, "] ");
	return buf_str(&b);
}

static int answer_failure(struct imap_session *s, int r, const struct err *err)
{
	if (r == -ECANCELED)
		return r;
	if (r == -ENOENT)
		return imap_no(s, "[TRYCREATE] No such mailbox.");
	return imap_no_store(s, r, err);
}

int imap_cmd_copy(struct imap_session *s)
{
	struct transfer t;

	int r = parse(s, &t);
	if (r != 0)
		return r < 0 ? r : 0;
	/* MOVE takes no room within an account: only where it is changes. */
	uint64_t room = imap_quota_room(s, &t.to);
	if (room < UINT64_MAX && imap_quota_size(s, &t.seqs) > room)
		return imap_quota_refuse(s);
	r = transfer(s, &t, false);
	if (r < 0)
		return answer_failure(s, r, &t.err);
	return imap_ok(s, "%" STR_FMT "Copy completed.", STR_ARG(copyuid(s, &t.done)));
}

int imap_cmd_move(struct imap_session *s)
{
	struct transfer t;

	int r = parse(s, &t);
	if (r != 0)
		return r < 0 ? r : 0;
	/* RFC 6851 4: what COPY, STORE of \\Deleted and EXPUNGE want together. */
	if ((s->view_rights & REMOVING) != REMOVING) {
		imap_box_refuse(s, s->view_rights);
		return 0;
	}
	if (t.to.store != s->view_store && imap_quota_size(s, &t.seqs) > imap_quota_room(s, &t.to))
		return imap_quota_refuse(s);
	r = transfer(s, &t, true);
	if (r < 0)
		return answer_failure(s, r, &t.err);
	/* RFC 6851 4.3: the code comes before the EXPUNGE responses. */
	struct str code = copyuid(s, &t.done);
	if (code.n) {
		stream_puts(s->stream, "* OK ");
		stream_write(s->stream, code);
		stream_puts(s->stream, "Moved.\r\n");
	}
	r = imap_condstore_code(s, &code);
	return r < 0 || s->ended ? r : imap_ok(s, "%" STR_FMT "Move completed.", STR_ARG(code));
}
