/* GETMETADATA and SETMETADATA (RFC 5464). */
#include <errno.h>

#include "imap/box.h"
#include "imap/metadata_args.h"
#include "imap/session_state.h"
#include "imap/write.h"

#define VALUE_MAX ((size_t)65536)

/* What one GETMETADATA tells. */
struct telling {
	const struct imap_getmetadata_args *args;
	struct buf b;
	size_t told;
	uint64_t longest; /* of the values that were left out */
};

static void put(struct telling *t, struct str entry, struct str value)
{
	if (value.p && value.n > t->args->max_size) {
		t->longest = value.n > t->longest ? value.n : t->longest;
		return;
	}
	if (t->told++)
		buf_putc(&t->b, ' ');
	imap_write_string(&t->b, entry);
	buf_putc(&t->b, ' ');
	imap_write_nstring(&t->b, value);
}

/* Is `entry` the one that was asked for, or below it within the depth? */
static bool is_asked(struct str asked, struct str entry, unsigned depth)
{
	unsigned levels = 0;

	if (!str_starts_nocase(entry, asked))
		return false;
	struct str rest = str_skip(entry, asked.n);
	if (rest.n && rest.p[0] != '/')
		return false;
	for (size_t i = 0; i < rest.n; i++)
		levels += rest.p[i] == '/';
	return levels <= depth;
}

static void tell_entry(struct telling *t, const struct store_meta_list *notes, struct str asked)
{
	bool found = false;

	for (size_t i = 0; i < notes->n; i++) {
		const struct store_meta *m = &notes->v[i];
		if (!str_eq(m->box, t->args->box) || !is_asked(asked, m->entry, t->args->depth))
			continue;
		found |= m->entry.n == asked.n;
		put(t, m->entry, m->value);
	}
	/* RFC 5464 4.2: what was asked for by its name and is not there is NIL. */
	if (!found)
		put(t, asked, STR_NONE);
}

static void may_suspend tell(struct imap_session *s, struct telling *t,
			     const struct store_meta_list *notes)
{
	buf_init(&t->b, &s->arena, SIZE_MAX / 2);
	buf_puts(&t->b, "* METADATA ");
	if (t->args->box.n)
		imap_write_mailbox(&t->b, t->args->box, imap_speaks_utf8(s));
	else
		buf_puts(&t->b, "\"\"");
	buf_puts(&t->b, " (");
	for (size_t i = 0; i < t->args->n; i++)
		tell_entry(t, notes, t->args->entries[i]);
	buf_puts(&t->b, ")\r\n");
	if (t->told)
		imap_send(s, &t->b);
}

static int must_exist(struct imap_session *s, struct str *box, struct err *err)
{
	if (!box->n)
		return 0;
	if (str_eq_nocase(*box, STR("INBOX")))
		*box = STR("INBOX");
	return store_box_check(s->store, *box, err);
}

int imap_cmd_getmetadata(struct imap_session *s)
{
	struct imap_getmetadata_args args;
	struct telling t = { .args = &args };
	struct store_meta_list notes;
	struct err err;

	int r = imap_getmetadata_args_parse(&s->lexer, &args);
	if (r < 0)
		return r;
	/* Notes are their owner's. */
	if (imap_box_is_shared(args.box)) {
		imap_box_refuse(s, STORE_RIGHT_LOOKUP);
		return 0;
	}
	r = must_exist(s, &args.box, &err);
	if (r == 0)
		r = store_meta_list(s->store, &s->arena, &notes, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	tell(s, &t, &notes);
	/* RFC 5464 4.2.1: how long the longest was. */
	if (t.longest)
		return imap_ok(s, "[METADATA LONGENTRIES %llu] Some values are longer.",
			       (unsigned long long)t.longest);
	return imap_ok(s, "Metadata told.");
}

/* What is noted as a special use has to be one. */
static bool is_special_use(const struct store_meta *m)
{
	struct str rest = m->value, word;

	while (str_next_word(&rest, &word))
		if (!store_special_use_parse(word))
			return false;
	return true;
}

/* 0; 1 when it is refused, and s->reply says why. */
static int check_entry(struct imap_session *s, const struct store_meta *m)
{
	bool shared = str_starts_nocase(m->entry, STR("/shared/"));

	if (m->value.n > VALUE_MAX)
		imap_no(s, "[METADATA MAXSIZE %zu] The value is too long.", VALUE_MAX);
	else if (shared && !m->box.n)
		/* What all users see is the operator's to say. */
		imap_no(s, "[NOPERM] Entries of the server are not yours to change.");
	else if (str_eq_nocase(m->entry, STR(STORE_META_SPECIAL_USE)) && m->value.p &&
		 !is_special_use(m))
		imap_no(s, "[USEATTR] No mailbox has such a use.");
	else
		return 0;
	return 1;
}

int imap_cmd_setmetadata(struct imap_session *s)
{
	struct imap_setmetadata_args args;
	struct err err;

	int r = imap_setmetadata_args_parse(&s->lexer, &args);
	if (r < 0)
		return r;
	if (imap_box_is_shared(args.v[0].box)) {
		imap_box_refuse(s, STORE_RIGHT_LOOKUP);
		return 0;
	}
	for (size_t i = 0; i < args.n; i++)
		if (check_entry(s, &args.v[i]))
			return 0;
	r = store_meta_set(s->store, args.v, args.n, &err);
	if (r == -E2BIG)
		return imap_no(s, "[METADATA TOOMANY] There is no room for more entries.");
	return r < 0 ? imap_no_store(s, r, &err) : imap_ok(s, "Metadata set.");
}
