/* REPLACE and UID REPLACE (RFC 8508): a new message takes the place of an old one. */
#include <errno.h>

#include "imap/append_message.h"
#include "imap/box.h"
#include "imap/mailbox_name.h"
#include "imap/quota.h"
#include "imap/seqset.h"
#include "imap/session_state.h"
#include "imap/view.h"

#define REMOVING (STORE_RIGHT_DELETED | STORE_RIGHT_EXPUNGE)

static int may_suspend take_message(struct imap_session *s, struct store_append *ap)
{
	int r = imap_append_message(s, ap);
	if (r != IMAP_APPEND_TAKEN)
		return r;
	r = imap_lexer_end(&s->lexer);
	return r < 0 ? r : IMAP_APPEND_TAKEN;
}

/* RFC 8508 3: APPENDUID first, then the new message, then the old one's end, which comes with the
 * sync behind the command. */
static int may_suspend replace(struct imap_session *s, struct store_append *ap,
			       const struct store_uids *old)
{
	struct str code;
	struct err err;

	if (imap_append_finish(s, ap, &code) != 0)
		return 0;
	stream_puts(s->stream, "* OK [");
	stream_write(s->stream, code);
	stream_puts(s->stream, "] Replacement message stored.\r\n");
	int r = imap_view_sync(s, STORE_SYNC_KEEP_EXPUNGED | STORE_SYNC_NO_DISK);
	if (r < 0 || s->ended)
		return r;
	r = store_view_remove(s->view, old, &err);
	return r < 0 ? imap_no_store(s, r, &err) : imap_ok(s, "Replace completed.");
}

static int one_message(struct imap_session *s, struct imap_seqset *out, struct store_uids *old)
{
	struct imap_seqset seqs;

	int r = imap_view_parse_set(s, &seqs);
	if (r < 0)
		return r;
	if (seqs.count > 1 || (seqs.count == 1 && seqs.ranges[0].first != seqs.ranges[0].last))
		return imap_lexer_bad(&s->lexer, "One message is replaced at a time");
	imap_view_uids(s, &seqs, old);
	*out = seqs;
	return 0;
}

int imap_cmd_replace(struct imap_session *s)
{
	struct store_append *ap;
	struct imap_seqset seqs;
	struct store_uids old;
	struct str name;
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 || (r = one_message(s, &seqs, &old)) < 0 ||
	    (r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_mailbox(&s->lexer, &name)) < 0 || (r = imap_lexer_space(&s->lexer)) < 0)
		return r;
	/* A UID that is gone, or "*" in an empty mailbox: before the new message is read. */
	if (old.n == 0)
		return imap_no(s, "[NONEXISTENT] There is no such message.");
	/* RFC 8508 4: what STORE of \\Deleted and EXPUNGE want. */
	if ((s->view_rights & REMOVING) != REMOVING) {
		imap_box_refuse(s, s->view_rights);
		return 0;
	}
	if (imap_append_begin(s, name, &ap))
		return 0;
	if (s->append_room < UINT64_MAX)
		s->append_room += imap_quota_size(s, &seqs);
	r = take_message(s, ap);
	if (r == IMAP_APPEND_TAKEN)
		return replace(s, ap, &old);
	store_append_abort(ap);
	return r < 0 ? r : 0;
}
