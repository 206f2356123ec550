#include "imap/copy_across.h"

#include <errno.h>

#include "imap/box.h"
#include "imap/flags.h"
#include "imap/message.h"
#include "imap/seqset.h"
#include "imap/session_state.h"

#define UNIT_BYTES 4096

struct crossing {
	struct imap_session *s;
	struct store_append *ap;
	const struct imap_box *to;
	struct store_copied *out;
	struct err *err;
};

static int may_suspend give_to_store(void *ctx, char *bytes, size_t n)
{
	struct crossing *c = ctx;

	int r = store_append_write(c->ap, str_of(bytes, n), c->err);
	return r < 0 ? r : imap_work(c->s, n / UNIT_BYTES);
}

/* Flags that may be set there, by their names: the bits of keywords are another mailbox's. */
static struct store_mark mark_of(struct crossing *c, const struct store_message *m)
{
	struct store_mark mark = { .flags = m->flags & imap_flags_allowed(c->to->rights) };
	unsigned n;
	const struct str *names = store_view_keywords(c->s->view, &n);
	struct str *keywords = ARENA_NEW_ARRAY(&c->s->arena, struct str, n);

	for (unsigned i = 0; i < n && c->to->rights & STORE_RIGHT_WRITE; i++)
		if ((m->keywords >> i & 1) && names[i].n)
			keywords[mark.nkeywords++] = arena_str(&c->s->arena, names[i]);
	mark.keywords = keywords;
	return mark;
}

static int may_suspend copy_bytes(struct crossing *c, struct imap_message *m)
{
	int r = imap_message_open(m);
	if (r < 0)
		return err_set(c->err, r, "a message cannot be opened");
	struct imap_piece all = { .kind = IMAP_PIECE_FILE, .size = m->file.wire_size };
	r = imap_message_give(m, &all, give_to_store, c);
	return r == -EBADMSG ? err_set(c->err, r, "a message changed while it was copied") : r;
}

static int may_suspend copy_one(struct crossing *c, uint32_t seq)
{
	struct store_message meta;
	struct imap_message m;

	int r = store_view_message_full(c->s->view, seq, &meta, c->err);
	/* As with a copy within an account: who is gone is not copied. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	struct store_append_meta how = { .mark = mark_of(c, &meta),
					 .date = meta.date,
					 .lines = STORE_LINES_BINARY };
	r = store_append_message(c->ap, &how, c->err);
	if (r < 0)
		return r;
	imap_message_init(&m, c->s->view, seq, &c->s->arena);
	r = copy_bytes(c, &m);
	imap_message_done(&m);
	if (r < 0)
		return r;
	store_uids_add(&c->s->arena, &c->out->from, meta.uid);
	c->out->n++;
	return 0;
}

static int may_suspend copy_all(struct crossing *c, const struct imap_seqset *seqs)
{
	int r = 0;

	for (size_t i = 0; i < seqs->count && r == 0; i++)
		for (uint32_t n = seqs->ranges[i].first; n <= seqs->ranges[i].last && r == 0; n++)
			r = copy_one(c, n);
	return r;
}

static int may_suspend finish(struct crossing *c)
{
	struct store_commit *commit = store_commit_new();
	struct store_append_args args = { .commit = commit, .a = &c->s->arena };
	struct store_appended done;

	int r = store_append_finish(c->ap, &args, &done, c->err);
	if (r < 0) {
		store_commit_free(commit);
		return r;
	}
	c->out->uidvalidity = done.uidvalidity;
	c->out->to = done.uids;
	return imap_commit(commit, c->err);
}

int imap_copy_across(struct imap_session *s, const struct imap_seqset *seqs,
		     const struct imap_box *to, struct store_copied *out, struct err *err)
{
	struct crossing c = { .s = s, .to = to, .out = out, .err = err };

	*out = (struct store_copied){ 0 };
	int r = store_append_begin(to->store, to->name, &c.ap, err);
	if (r < 0)
		return r;
	r = copy_all(&c, seqs);
	if (r < 0 || out->n == 0) {
		store_append_abort(c.ap);
		return r;
	}
	return finish(&c);
}
