/* CREATE (RFC 3501 6.3.3) with MAILBOXID (RFC 8474) and special uses (RFC 6154). */
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
	if (str_ends(out->name, STR(".")))
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

static int answer_created(struct imap_session *s, struct str name)
{
	struct store_status st;
	struct err err;
	struct buf id;

	if (store_box_status(s->store, name, &st, &err) < 0)
		return imap_ok(s, "Created.");
	buf_init(&id, &s->arena, RESPONSE_MAX);
	imap_object_id_write_mailbox(&id, st.guid);
	return imap_ok(s, "[MAILBOXID %" STR_FMT "] Created.", STR_ARG(buf_str(&id)));
}

int imap_cmd_create(struct imap_session *s)
{
	struct create_args args;
	struct err err, ignored;

	int r = parse(&s->lexer, &args);
	if (r < 0)
		return r;
	if (args.uses && !uses_are_free(s, args.uses))
		return imap_no(s, "[USEATTR] No mailbox can be created for this use.");
	r = store_box_create(s->store, args.name, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	r = note_uses(s, &args, &err);
	if (r < 0) {
		/* RFC 6154 3: then there is no mailbox either. */
		(void)!store_box_delete(s->store, args.name, &ignored);
		return imap_no_store(s, r, &err);
	}
	return answer_created(s, args.name);
}
