/* GETACL, SETACL, DELETEACL, LISTRIGHTS and MYRIGHTS (RFC 4314 section 3). */
#include "imap/box.h"
#include "imap/mailbox_name.h"
#include "imap/session_state.h"
#include "imap/write.h"

#define RESPONSE_MAX ((size_t)1 << 20)
#define ID_MAX	     300

/* RFC 4314 2.1.1: the rights of RFC 2086, for clients that know no others. */
static void put_rights(struct buf *b, uint32_t rights)
{
	store_rights_write(b, rights);
	if (rights & STORE_RIGHT_CREATE)
		buf_putc(b, 'c');
	if (rights & (STORE_RIGHT_DELETED | STORE_RIGHT_EXPUNGE))
		buf_putc(b, 'd');
}

/* An identifier of the protocol as it is in the file; false when there is none like it. */
static bool id_parse(struct imap_session *s, struct str id, struct store_acl_entry *out)
{
	out->negative = str_starts(id, STR("-"));
	if (out->negative)
		id = str_skip(id, 1);
	if (id.n == 0 || id.n > ID_MAX || !str_is_printable(id) || str_find_byte(id, '"') >= 0)
		return false;
	if (str_eq(id, STR("anyone")) || str_eq(id, STR("#authenticated"))) {
		out->id = id.p[0] == '#' ? STR("authenticated") : STR("anyone");
		return true;
	}
	/* There are no groups; the owner's rights are not for anybody to change. */
	if (strchr("#$!", id.p[0]) || str_eq_nocase(id, s->params->account))
		return false;
	char *lower = arena_cstr(&s->arena, id);
	str_lower_bytes(lower, id.n);
	out->id = arena_printf(&s->arena, "user=%s", lower);
	return true;
}

static void put_id(struct buf *b, const struct store_acl_entry *e)
{
	static const struct {
		struct str file;
		const char *mark;
	} kinds[] = {
		{ STR_INIT("user="), "" },
		{ STR_INIT("group="), "$" },
		{ STR_INIT("group-override="), "!" },
	};
	auto_buf struct buf id;
	struct str name = e->id;
	const char *mark = str_eq(name, STR("anyone")) ? "" : "#";

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_starts(e->id, kinds[i].file)) {
			mark = kinds[i].mark;
			name = str_skip(e->id, kinds[i].file.n);
		}
	buf_init(&id, NULL, SIZE_MAX / 2);
	buf_printf(&id, "%s%s%" STR_FMT, e->negative ? "-" : "", mark, STR_ARG(name));
	imap_write_string(b, buf_str(&id));
}

static void begin(struct imap_session *s, struct buf *b, const char *what, struct str name)
{
	buf_init(b, &s->arena, RESPONSE_MAX);
	buf_printf(b, "* %s ", what);
	imap_write_mailbox(b, name, imap_speaks_utf8(s));
}

/* A mailbox that exists, with these rights on it. 0, 1 when refused. */
static int may_suspend find(struct imap_session *s, struct str name, uint32_t need,
			    struct imap_box *out)
{
	struct err err;

	if (imap_box_find(s, name, need, out))
		return 1;
	int r = store_box_check(out->store, out->name, &err);
	if (r < 0)
		imap_no_store(s, r, &err);
	return r < 0;
}

static int may_suspend parse_name(struct imap_session *s, struct str *out)
{
	int r = imap_lexer_space(&s->lexer);

	return r < 0 ? r : imap_lexer_mailbox(&s->lexer, out);
}

static int may_suspend parse_name_and_id(struct imap_session *s, struct str *name, struct str *id)
{
	int r;

	if ((r = parse_name(s, name)) < 0 || (r = imap_lexer_space(&s->lexer)) < 0)
		return r;
	return imap_lexer_astring(&s->lexer, id);
}

int imap_cmd_getacl(struct imap_session *s)
{
	struct imap_box box;
	struct store_acl acl;
	struct str name;
	struct err err;
	struct buf b;
	int r;

	if ((r = parse_name(s, &name)) < 0 || (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	if (find(s, name, STORE_RIGHT_LOOKUP | STORE_RIGHT_ADMIN, &box))
		return 0;
	r = store_acl_read(box.store, box.name, &s->arena, &acl, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	begin(s, &b, "ACL", name);
	buf_putc(&b, ' ');
	imap_write_string(&b, box.account);
	buf_putc(&b, ' ');
	put_rights(&b, STORE_RIGHTS_ALL);
	for (size_t i = 0; i < acl.n; i++) {
		buf_putc(&b, ' ');
		put_id(&b, &acl.v[i]);
		buf_putc(&b, ' ');
		put_rights(&b, acl.v[i].rights);
	}
	buf_puts(&b, "\r\n");
	imap_send(s, &b);
	return imap_ok(s, "ACL told.");
}

static int may_suspend change(struct imap_session *s, struct str name, struct str id,
			      struct store_acl_change *c)
{
	struct imap_box box;
	struct err err;

	if (find(s, name, STORE_RIGHT_LOOKUP | STORE_RIGHT_ADMIN, &box))
		return 0;
	if (!id_parse(s, id, &c->entry) ||
	    str_eq_nocase(str_skip(c->entry.id, strlen("user=")), box.account))
		return imap_no(s, "[CANNOT] The rights of this identifier cannot be changed.");
	int r = store_acl_change(box.store, box.name, c, &err);
	if (r == 0)
		r = imap_box_publish(s, &box, &err);
	return r < 0 ? imap_no_store(s, r, &err) : imap_ok(s, "ACL changed.");
}

int imap_cmd_setacl(struct imap_session *s)
{
	struct store_acl_change c = { .op = STORE_ACL_SET };
	struct str name, id, rights;
	int r;

	if ((r = parse_name_and_id(s, &name, &id)) < 0 || (r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_astring(&s->lexer, &rights)) < 0 || (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	if (str_starts(rights, STR("+")) || str_starts(rights, STR("-"))) {
		c.op = rights.p[0] == '+' ? STORE_ACL_ADD : STORE_ACL_REMOVE;
		rights = str_skip(rights, 1);
	}
	/* RFC 4314 3.1: an unknown right is a BAD command. */
	if (!store_rights_parse(rights, &c.entry.rights))
		return imap_lexer_bad(&s->lexer, "Unknown right");
	return change(s, name, id, &c);
}

int imap_cmd_deleteacl(struct imap_session *s)
{
	struct store_acl_change c = { .op = STORE_ACL_DELETE };
	struct str name, id;
	int r;

	if ((r = parse_name_and_id(s, &name, &id)) < 0 || (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	return change(s, name, id, &c);
}

int imap_cmd_listrights(struct imap_session *s)
{
	struct imap_box box;
	struct str name, id;
	struct buf b;
	int r;

	if ((r = parse_name_and_id(s, &name, &id)) < 0 || (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	if (find(s, name, STORE_RIGHT_LOOKUP | STORE_RIGHT_ADMIN, &box))
		return 0;
	begin(s, &b, "LISTRIGHTS", name);
	buf_putc(&b, ' ');
	imap_write_string(&b, id);
	/* RFC 4314 3.7: what is always granted, then what can be, each for itself. */
	if (str_eq_nocase(id, box.account)) {
		buf_putc(&b, ' ');
		store_rights_write(&b, STORE_RIGHTS_ALL);
	} else {
		buf_puts(&b, " \"\"");
		for (uint32_t right = 1; right < STORE_RIGHTS_ALL; right <<= 1) {
			buf_putc(&b, ' ');
			store_rights_write(&b, right);
		}
	}
	buf_puts(&b, "\r\n");
	imap_send(s, &b);
	return imap_ok(s, "Rights listed.");
}

int imap_cmd_myrights(struct imap_session *s)
{
	struct imap_box box;
	struct str name;
	struct buf b;
	int r;

	if ((r = parse_name(s, &name)) < 0 || (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	if (find(s, name, 0, &box))
		return 0;
	/* RFC 4314 section 4: any of l, r, i, k, x, a; without one the mailbox is not there. */
	if (!box.rights) {
		imap_box_refuse(s, 0);
		return 0;
	}
	begin(s, &b, "MYRIGHTS", name);
	buf_putc(&b, ' ');
	put_rights(&b, box.rights);
	buf_puts(&b, "\r\n");
	imap_send(s, &b);
	return imap_ok(s, "Rights told.");
}
