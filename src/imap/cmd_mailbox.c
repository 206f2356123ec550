/* DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 6.3.4 to 6.3.7). */
#include "imap/box.h"
#include "imap/mailbox_name.h"
#include "imap/session_state.h"
#include "imap/view.h"
#include "imap/write.h"

#define RESPONSE_MAX 40000

/* A space and a mailbox name, the last argument. */
static int may_suspend last_name(struct imap_session *s, struct str *out)
{
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 || (r = imap_lexer_mailbox(&s->lexer, out)) < 0)
		return r;
	return imap_lexer_end(&s->lexer);
}

static bool is_selected(struct imap_session *s, const struct imap_box *box)
{
	return s->view && s->view_store == box->store &&
	       str_eq(store_view_name(s->view), box->name);
}

int imap_cmd_delete(struct imap_session *s)
{
	struct imap_box box;
	struct str name;
	struct err err;

	int r = last_name(s, &name);
	if (r < 0)
		return r;
	if (imap_box_find(s, name, STORE_RIGHT_DELETE, &box))
		return 0;
	bool selected = is_selected(s, &box);
	r = store_box_delete(box.store, box.name, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	if (selected)
		imap_view_close(s);
	return imap_ok(s, "Deleted.");
}

/* RFC 9051 6.3.9.7 */
static void may_suspend write_renamed(struct imap_session *s, struct str from, struct str to)
{
	struct buf b;

	buf_init(&b, &s->arena, RESPONSE_MAX);
	buf_printf(&b, "* LIST () \"%c\" ", imap_box_is_shared(to) ? IMAP_SHARED_SEPARATOR : '.');
	imap_write_mailbox(&b, to, true);
	buf_puts(&b, " (\"OLDNAME\" (");
	imap_write_mailbox(&b, from, true);
	buf_puts(&b, "))\r\n");
	imap_send(s, &b);
}

int imap_cmd_rename(struct imap_session *s)
{
	struct imap_box old, new;
	struct str from, to;
	struct err err;
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_mailbox(&s->lexer, &from)) < 0 || (r = last_name(s, &to)) < 0)
		return r;
	if (imap_box_find(s, from, STORE_RIGHT_DELETE, &old) || imap_box_find_new(s, to, &new))
		return 0;
	if (old.store != new.store)
		return imap_no(s, "[CANNOT] A mailbox stays with its owner.");
	r = store_box_rename(old.store, old.name, new.name, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	if (s->enabled & IMAP_ENABLED_REV2)
		write_renamed(s, from, to);
	return imap_ok(s, "Renamed.");
}

static int may_suspend set_subscribed(struct imap_session *s, bool on)
{
	struct str name;
	struct err err;

	int r = last_name(s, &name);
	if (r < 0)
		return r;
	r = imap_box_is_shared(name) ? imap_box_subscribe_shared(s, name, on, &err)
				     : store_box_subscribe(s->store, name, on, &err);
	return r < 0 ? imap_no_store(s, r, &err) : imap_ok(s, on ? "Subscribed." : "Unsubscribed.");
}

int imap_cmd_subscribe(struct imap_session *s)
{
	return set_subscribed(s, true);
}

int imap_cmd_unsubscribe(struct imap_session *s)
{
	return set_subscribed(s, false);
}
