/* COPY (RFC 3501 6.4.7) and MOVE (RFC 6851), with COPYUID (RFC 4315). */
#include <errno.h>

#include "imap/condstore.h"
#include "imap/mailbox_name.h"
#include "imap/quota.h"
#include "imap/seqset.h"
#include "imap/session_state.h"
#include "imap/uids_write.h"
#include "imap/view.h"

struct transfer {
	struct imap_seqset seqs;
	struct store_uids set;
	struct str to;
	struct err err;
};

static int may_suspend parse(struct imap_session *s, struct transfer *out)
{
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 || (r = imap_view_parse_set(s, &out->seqs)) < 0 ||
	    (r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_mailbox(&s->lexer, &out->to)) < 0 ||
	    (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	imap_view_uids(s, &out->seqs, &out->set);
	return 0;
}

typedef int transfer_fn(struct store_view *v, const struct store_copy_args *args,
			struct store_copied *out, struct err *err);

/* Do it and make it durable. *code becomes the COPYUID response code, empty when nothing was
 * copied. */
static int may_suspend transfer(struct imap_session *s, struct transfer *t, transfer_fn *fn,
				struct str *code)
{
	struct store_commit *commit = store_commit_new();
	struct store_copy_args args = {
		.set = &t->set, .to = t->to, .commit = commit, .a = &s->arena
	};
	struct store_copied done;
	struct buf b;

	int r = fn(s->view, &args, &done, &t->err);
	if (r < 0) {
		store_commit_free(commit);
		return r;
	}
	r = imap_commit(commit, &t->err);
	if (r < 0)
		return r;
	buf_init(&b, &s->arena, SIZE_MAX / 2);
	if (done.n) {
		buf_printf(&b, "[COPYUID %u ", done.uidvalidity);
		imap_uids_write(&b, &done.from);
		buf_putc(&b, ' ');
		imap_uids_write(&b, &done.to);
		buf_puts(&b, "] ");
	}
	*code = buf_str(&b);
	return 0;
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
	struct str code;

	int r = parse(s, &t);
	if (r < 0)
		return r;
	/* MOVE takes no room: only where it is changes. */
	uint64_t room = imap_quota_room(s, t.to);
	if (room < UINT64_MAX && imap_quota_size(s, &t.seqs) > room)
		return imap_quota_refuse(s);
	r = transfer(s, &t, store_view_copy, &code);
	if (r < 0)
		return answer_failure(s, r, &t.err);
	return imap_ok(s, "%" STR_FMT "Copy completed.", STR_ARG(code));
}

int imap_cmd_move(struct imap_session *s)
{
	struct transfer t;
	struct str code;

	int r = parse(s, &t);
	if (r < 0)
		return r;
	r = transfer(s, &t, store_view_move, &code);
	if (r < 0)
		return answer_failure(s, r, &t.err);
	/* RFC 6851 4.3: the code comes before the EXPUNGE responses. */
	if (code.n) {
		stream_puts(s->stream, "* OK ");
		stream_write(s->stream, code);
		stream_puts(s->stream, "Moved.\r\n");
	}
	r = imap_condstore_code(s, &code);
	return r < 0 || s->ended ? r : imap_ok(s, "%" STR_FMT "Move completed.", STR_ARG(code));
}
