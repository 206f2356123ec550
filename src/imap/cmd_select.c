/* SELECT and EXAMINE (RFC 3501 6.3.1, 6.3.2), also of clients that come back (RFC 7162 3.2.5). */
#include "imap/box.h"
#include "imap/condstore.h"
#include "imap/object_id.h"
#include "imap/select_args.h"
#include "imap/session_state.h"
#include "imap/view.h"
#include "imap/write.h"

#define RESPONSE_MAX	  200
#define NAME_RESPONSE_MAX 20000
#define FLAGS_MAX	  8192
#define CHANGING                                                                                   \
	(STORE_RIGHT_WRITE | STORE_RIGHT_SEEN | STORE_RIGHT_DELETED | STORE_RIGHT_INSERT |         \
	 STORE_RIGHT_EXPUNGE)
#define MESSAGES_PER_UNIT 100

/* RFC 9051 6.3.2: the name as the server has it. */
static void may_suspend write_list(struct imap_session *s, struct str name)
{
	struct buf b;

	buf_init(&b, &s->arena, NAME_RESPONSE_MAX);
	bool shared = imap_box_is_shared(name);
	buf_printf(&b, "* LIST () \"%c\" ", shared ? IMAP_SHARED_SEPARATOR : '.');
	imap_write_mailbox(&b, shared ? name : store_view_name(s->view), imap_speaks_utf8(s));
	buf_puts(&b, "\r\n");
	imap_send(s, &b);
}

static void may_suspend write_counts(struct imap_session *s, const struct store_status *st,
				     struct str name)
{
	stream_printf(s->stream, "* %u EXISTS\r\n", st->messages);
	if (!imap_tells_recent(s)) {
		write_list(s, name);
		return;
	}
	stream_printf(s->stream, "* %u RECENT\r\n", st->recent);
	uint32_t unseen = store_view_first_unseen(s->view);
	if (unseen)
		stream_printf(s->stream, "* OK [UNSEEN %u] First unseen message.\r\n", unseen);
}

static void may_suspend write_mailbox_id(struct imap_session *s, const struct store_status *st)
{
	struct buf id;

	buf_init(&id, &s->arena, RESPONSE_MAX);
	buf_puts(&id, "* OK [MAILBOXID ");
	imap_object_id_write_mailbox(&id, st->guid);
	buf_puts(&id, "] Mailbox's own identifier.\r\n");
	imap_send(s, &id);
}

static void may_suspend write_status(struct imap_session *s, struct str name)
{
	struct store_status st;

	/* Before anything is written: others may change the mailbox meanwhile. */
	store_view_status(s->view, &st);
	s->told_modseq = st.modseq;
	imap_view_write_flags(s);
	write_counts(s, &st, name);
	stream_printf(s->stream, "* OK [UIDVALIDITY %u] UIDs are valid.\r\n", st.uidvalidity);
	write_mailbox_id(s, &st);
	stream_printf(s->stream, "* OK [UIDNEXT %u] Predicted next UID.\r\n", st.uidnext);
	/* RFC 7162 3.1.2.1: to everybody. */
	if (imap_view_has_modseq(s))
		imap_condstore_write_highest(s);
	else if (s->enabled & IMAP_ENABLED_CONDSTORE)
		stream_puts(s->stream, "* OK [NOMODSEQ] No mod-sequences here.\r\n");
}

static int may_suspend write_changed(struct imap_session *s, const struct imap_select_args *args)
{
	uint32_t count = store_view_count(s->view);
	struct store_message m;
	struct buf b;
	int r = 0;

	buf_init(&b, &s->arena, FLAGS_MAX);
	for (uint32_t seq = 1; seq <= count && r == 0; seq++) {
		r = imap_work(s, seq % MESSAGES_PER_UNIT == 0);
		if (store_view_message(s->view, seq, &m) < 0 || m.modseq <= args->modseq ||
		    (args->has_known && !store_uids_has(&args->known, m.uid)))
			continue;
		imap_condstore_put_fetch(s, &b, seq, &m, true);
		imap_send(s, &b);
	}
	return r;
}

/* RFC 7162 3.2.5.1: what happened since the client was here, if it is still the same mailbox. */
static int may_suspend resynchronize(struct imap_session *s, const struct imap_select_args *args)
{
	struct store_status st;

	store_view_status(s->view, &st);
	if (!args->qresync || !imap_view_has_modseq(s) || st.uidvalidity != args->uidvalidity)
		return 0;
	imap_condstore_write_vanished(s, args->modseq, args->has_known ? &args->known : NULL);
	return write_changed(s, args);
}

static int may_suspend open_mailbox(struct imap_session *s, bool read_only)
{
	struct imap_select_args args;
	struct store_view *view;
	struct imap_box box;
	struct err err;

	int r = imap_select_args_parse(s, &args);
	if (r < 0)
		return r;
	/* RFC 7162 3.2.11, RFC 9051 7.1: what follows is of another mailbox. */
	if (s->view && s->enabled & (IMAP_ENABLED_REV2 | IMAP_ENABLED_QRESYNC))
		stream_puts(s->stream, "* OK [CLOSED] The previous mailbox is closed.\r\n");
	/* RFC 3501 6.3.1: the old mailbox is left even when the new one cannot be opened. */
	imap_view_close(s);
	if (args.condstore)
		imap_condstore_enable(s);
	if (imap_box_find(s, args.name, STORE_RIGHT_READ, &box))
		return 0;
	/* RFC 4314 4: without a right to change anything it is read-only. */
	read_only |= !(box.rights & CHANGING);
	r = store_view_open(box.store, box.name, read_only ? STORE_VIEW_READ_ONLY : 0, &view, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	s->view = view;
	s->view_store = box.store;
	s->view_rights = box.rights;
	s->read_only = read_only;
	write_status(s, args.name);
	r = resynchronize(s, &args);
	if (r < 0)
		return r;
	return imap_ok(s, read_only ? "[READ-ONLY] Examine completed."
				    : "[READ-WRITE] Select completed.");
}

int imap_cmd_select(struct imap_session *s)
{
	return open_mailbox(s, false);
}

int imap_cmd_examine(struct imap_session *s)
{
	return open_mailbox(s, true);
}
