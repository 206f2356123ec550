/* CREATE (RFC 3501 6.3.3) with MAILBOXID (RFC 8474) and special uses (RFC 6154). */
#include "imap/box.h"
#include "imap/mailbox_name.h"
#include "imap/object_id.h"
#include "imap/session_state.h"

#define RESPONSE_MAX 200
#define UNKNOWN_USE  (1u << 31)

struct create_args {
	struct str name;
	uint32_t uses; /* enum store_box_attr, or UNKNOWN_USE */
};

static int parse_uses(struct imap_lexer *lx, struct create_args *out)
{
	struct str flag;
	int r = imap_lexer_expect(lx, '(');

	for (bool first = true; r == 0 && !imap_lexer_accept(lx, ')'); first = false) {
		if ((!first && (r = imap_lexer_space(lx)) < 0) ||
		    (r = imap_lexer_flag(lx, &flag)) < 0)
			return r;
		uint32_t use = store_special_use_parse(flag);
		out->uses |= use ? use : UNKNOWN_USE;
	}
	return r;
}

static int may_suspend parse(struct imap_lexer *lx, struct create_args *out)
{
	int r;

	*out = (struct create_args){ 0 };
	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_mailbox(lx, &out->name)) < 0)
		return r;
	if (imap_lexer_accept(lx, ' ')) {
		if ((r = imap_lexer_expect(lx, '(')) < 0)
			return r;
		if (!imap_lexer_accept_word(lx, "USE"))
			return imap_lexer_bad(lx, "Expected USE");
		if ((r = imap_lexer_space(lx)) < 0 || (r = parse_uses(lx, out)) < 0 ||
		    (r = imap_lexer_expect(lx, ')')) < 0)
			return r;
	}
	/* RFC 3501 6.3.3: a separator at the end only announces children. */
	if (str_ends(out->name, imap_box_is_shared(out->name) ? STR("/") : STR(".")))
		out->name.n--;
	return imap_lexer_end(lx);
}

/* RFC 6154 3: each use has one mailbox here. */
static bool uses_are_free(struct imap_session *s, uint32_t uses)
{
	struct store_box_list boxes;
	struct err err;

	if ((uses & UNKNOWN_USE) || store_box_list(s->store, &s->arena, &boxes, &err) < 0)
		return false;
	for (size_t i = 0; i < boxes.n; i++)
		if (boxes.v[i].attrs & uses)
			return false;
	return true;
}

static int note_uses(struct imap_session *s, const struct create_args *args, struct err *err)
{
	struct store_meta note = { .box = args->name, .entry = STR(STORE_META_SPECIAL_USE) };
	struct buf b;

	if (!args->uses)
		return 0;
	buf_init(&b, &s->arena, RESPONSE_MAX);
	for (uint32_t use = 1; use <= STORE_BOX_SPECIAL; use <<= 1)
		if (args->uses & use)
			buf_printf(&b, "%s%s", b.n ? " " : "", store_special_use_name(use));
	note.value = buf_str(&b);
	return store_meta_set(s->store, &note, 1, err);
}

static int answer_created(struct imap_session *s, const struct imap_box *box)
{
	struct store_status st;
	struct err err;
	struct buf id;

	if (store_box_status(box->store, box->name, &st, &err) < 0)
		return imap_ok(s, "Created.");
	buf_init(&id, &s->arena, RESPONSE_MAX);
	imap_object_id_write_mailbox(&id, st.guid);
	return imap_ok(s, "[MAILBOXID %" STR_FMT "] Created.", STR_ARG(buf_str(&id)));
}

/* Who may use a mailbox may use what is made below it; its owner can change that. */
static int inherit(struct imap_session *s, const struct imap_box *box, struct err *err)
{
	struct str above = str_sub(box->name, 0, (size_t)str_rfind_byte(box->name, '.'));
	struct store_acl acl;

	int r = store_acl_read(box->store, above, &s->arena, &acl, err);
	for (size_t i = 0; i < acl.n && r == 0; i++) {
		struct store_acl_change c = { .op = STORE_ACL_SET, .entry = acl.v[i] };
		r = store_acl_change(box->store, box->name, &c, err);
	}
	return r;
}

int imap_cmd_create(struct imap_session *s)
{
	struct create_args args;
	struct imap_box box;
	struct err err, ignored;

	int r = parse(&s->lexer, &args);
	if (r < 0)
		return r;
	/* The uses of mailboxes are their owner's. */
	if (args.uses && (imap_box_is_shared(args.name) || !uses_are_free(s, args.uses)))
		return imap_no(s, "[USEATTR] No mailbox can be created for this use.");
	if (imap_box_find_new(s, args.name, &box))
		return 0;
	r = store_box_create(box.store, box.name, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	r = box.shared ? inherit(s, &box, &err) : note_uses(s, &args, &err);
	if (r < 0) {
		/* RFC 6154 3: then there is no mailbox either. */
		(void)!store_box_delete(box.store, box.name, &ignored);
		return imap_no_store(s, r, &err);
	}
	return answer_created(s, &box);
}
