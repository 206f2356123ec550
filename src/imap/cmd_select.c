/* SELECT and EXAMINE (RFC 3501 6.3.1, 6.3.2). */
#include "imap/mailbox_name.h"
#include "imap/object_id.h"
#include "imap/session_state.h"
#include "imap/view.h"
#include "imap/write.h"

#define RESPONSE_MAX	  200
#define NAME_RESPONSE_MAX 20000

/* RFC 9051 6.3.2: the name as the server has it. */
static void may_suspend write_list(struct imap_session *s)
{
	struct buf b;

	buf_init(&b, &s->arena, NAME_RESPONSE_MAX);
	buf_puts(&b, "* LIST () \".\" ");
	imap_write_mailbox(&b, store_view_name(s->view), imap_speaks_utf8(s));
	buf_puts(&b, "\r\n");
	imap_send(s, &b);
}

static void may_suspend write_status(struct imap_session *s)
{
	struct store_status st;
	struct buf id;

	imap_view_write_flags(s);
	store_view_status(s->view, &st);
	stream_printf(s->stream, "* %u EXISTS\r\n", st.messages);
	if (imap_tells_recent(s))
		stream_printf(s->stream, "* %u RECENT\r\n", st.recent);
	else
		write_list(s);
	uint32_t unseen = imap_tells_recent(s) ? store_view_first_unseen(s->view) : 0;
	if (unseen)
		stream_printf(s->stream, "* OK [UNSEEN %u] First unseen message.\r\n", unseen);
	stream_printf(s->stream, "* OK [UIDVALIDITY %u] UIDs are valid.\r\n", st.uidvalidity);
	buf_init(&id, &s->arena, RESPONSE_MAX);
	buf_puts(&id, "* OK [MAILBOXID ");
	imap_object_id_write_mailbox(&id, st.guid);
	buf_puts(&id, "] Mailbox's own identifier.\r\n");
	imap_send(s, &id);
	stream_printf(s->stream, "* OK [UIDNEXT %u] Predicted next UID.\r\n", st.uidnext);
}

static int may_suspend open_mailbox(struct imap_session *s, bool read_only)
{
	struct store_view *view;
	struct str name;
	struct err err;
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_mailbox(&s->lexer, &name)) < 0 || (r = imap_lexer_end(&s->lexer)) < 0)
		return r;

	/* RFC 3501 6.3.1: the old mailbox is left even when the new one cannot be opened. */
	if (s->view && (s->enabled & IMAP_ENABLED_REV2))
		stream_puts(s->stream, "* OK [CLOSED] The previous mailbox is closed.\r\n");
	imap_view_close(s);
	r = store_view_open(s->store, name, read_only ? STORE_VIEW_READ_ONLY : 0, &view, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	s->view = view;
	s->read_only = read_only;
	write_status(s);
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
