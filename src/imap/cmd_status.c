/* STATUS (RFC 3501 6.3.10). */
#include "imap/box.h"
#include "imap/condstore.h"
#include "imap/mailbox_name.h"
#include "imap/object_id.h"
#include "imap/session_state.h"
#include "imap/status_items.h"
#include "imap/write.h"

#define RESPONSE_MAX 20000
#define STORAGE_UNIT 1024

static const struct {
	const char *name;
	unsigned item;
} status_items[] = {
	{ "MESSAGES", IMAP_STATUS_MESSAGES },
	{ "RECENT", IMAP_STATUS_RECENT },
	{ "UIDNEXT", IMAP_STATUS_UIDNEXT },
	{ "UIDVALIDITY", IMAP_STATUS_UIDVALIDITY },
	{ "UNSEEN", IMAP_STATUS_UNSEEN },
	{ "SIZE", IMAP_STATUS_SIZE },
	{ "DELETED", IMAP_STATUS_DELETED },
	{ "MAILBOXID", IMAP_STATUS_MAILBOXID },
	{ "APPENDLIMIT", IMAP_STATUS_APPENDLIMIT },
	{ "HIGHESTMODSEQ", IMAP_STATUS_HIGHESTMODSEQ },
	{ "DELETED-STORAGE", IMAP_STATUS_DELETED_STORAGE },
};

static int parse_item(struct imap_lexer *lx, unsigned *items)
{
	struct str name;

	int r = imap_lexer_atom(lx, &name);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(status_items); i++) {
		if (str_eq_nocase(name, str_from(status_items[i].name))) {
			*items |= status_items[i].item;
			return 0;
		}
	}
	return imap_lexer_bad(lx, "Unknown status item");
}

int imap_status_items_parse(struct imap_lexer *lx, unsigned *items)
{
	unsigned found = 0;

	int r = imap_lexer_expect(lx, '(');
	if (r < 0)
		return r;
	do {
		r = parse_item(lx, &found);
		if (r < 0)
			return r;
	} while (imap_lexer_accept(lx, ' '));
	*items = found;
	return imap_lexer_expect(lx, ')');
}

static uint64_t item_value(const struct store_status *st, unsigned item)
{
	switch (item) {
	case IMAP_STATUS_MESSAGES:
		return st->messages;
	case IMAP_STATUS_RECENT:
		return st->recent;
	case IMAP_STATUS_UIDNEXT:
		return st->uidnext;
	case IMAP_STATUS_UIDVALIDITY:
		return st->uidvalidity;
	case IMAP_STATUS_UNSEEN:
		return st->unseen;
	case IMAP_STATUS_DELETED:
		return st->deleted;
	case IMAP_STATUS_HIGHESTMODSEQ:
		return st->modseq;
	default:
		return st->bytes;
	}
}

/* RFC 9208 4.1.4: what an expunge would give back, in units of 1024 octets. */
static uint64_t deleted_storage(const struct imap_box *box, const struct store_status *st)
{
	struct store_message m;
	struct store_view *v;
	struct err err;
	uint64_t sum = 0;

	if (!st->deleted ||
	    store_view_open(box->store, box->name, STORE_VIEW_READ_ONLY | STORE_VIEW_KEEP_RECENT,
			    &v, &err) < 0)
		return 0;
	for (uint32_t seq = 1; seq <= store_view_count(v); seq++)
		if (store_view_message(v, seq, &m) == 0 && m.flags & STORE_DELETED &&
		    store_view_message_full(v, seq, &m, &err) == 0)
			sum += m.wire_size;
	store_view_close(v);
	return (sum + STORAGE_UNIT - 1) / STORAGE_UNIT;
}

static void write_value(struct imap_session *s, struct buf *b, const struct store_status *st,
			unsigned item)
{
	uint64_t max = s->params->limits.append;

	if (item == IMAP_STATUS_MAILBOXID)
		imap_object_id_write_mailbox(b, st->guid);
	else if (item == IMAP_STATUS_APPENDLIMIT && !max)
		buf_puts(b, "NIL"); /* RFC 7889 2: there is no limit */
	else
		buf_put_u64(b, item == IMAP_STATUS_APPENDLIMIT ? max : item_value(st, item));
}

int imap_status_write(struct imap_session *s, const struct imap_box *box, struct str name,
		      unsigned items, struct err *err)
{
	const char *space = "";
	struct store_status st;
	struct buf b;

	int r = store_box_status(box->store, box->name, &st, err);
	if (r < 0)
		return r;
	buf_init(&b, &s->arena, RESPONSE_MAX);
	buf_puts(&b, "* STATUS ");
	imap_write_mailbox(&b, name, imap_speaks_utf8(s));
	buf_puts(&b, " (");
	for (size_t i = 0; i < ARRAY_LEN(status_items); i++) {
		if (!(items & status_items[i].item))
			continue;
		buf_printf(&b, "%s%s ", space, status_items[i].name);
		if (status_items[i].item == IMAP_STATUS_DELETED_STORAGE)
			buf_put_u64(&b, deleted_storage(box, &st));
		else
			write_value(s, &b, &st, status_items[i].item);
		space = " ";
	}
	buf_puts(&b, ")\r\n");
	imap_send(s, &b);
	return 0;
}

int imap_cmd_status(struct imap_session *s)
{
	struct imap_box box;
	unsigned items;
	struct str name;
	struct err err;
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_mailbox(&s->lexer, &name)) < 0 ||
	    (r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_status_items_parse(&s->lexer, &items)) < 0 ||
	    (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	if (imap_box_find(s, name, STORE_RIGHT_READ, &box))
		return 0;
	if (items & IMAP_STATUS_HIGHESTMODSEQ)
		imap_condstore_enable(s);
	r = imap_status_write(s, &box, name, items, &err);
	return r < 0 ? imap_no_store(s, r, &err) : imap_ok(s, "Status completed.");
}
