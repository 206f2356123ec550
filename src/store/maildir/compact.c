/* Facts of messages that are gone stay in the files until they are most of them; then the living
 * are copied to files of the next generation, a few at a time, and the index changes over. */

#include <errno.h>
#include <stdlib.h>

#include "store/maildir/maildir.h"

#define SLICE	   64
#define DEAD_SPARE 1000 /* so many may be dead in any mailbox */

struct copied {
	uint32_t uid, from, to; /* places */
};

struct maildir_compaction {
	struct facts_files next;
	uint32_t uid; /* all before are copied */
	struct copied *v;
	size_t n, cap;
};

static bool is_due(const struct maildir_box *mb)
{
	return mb->base.indexed && !mb->facts.failed &&
	       mb->facts.puts > 2 * store_messages_count(&mb->base.messages) + DEAD_SPARE;
}

static struct maildir_compaction *begin(struct maildir_box *mb)
{
	struct maildir_compaction *c = calloc(1, sizeof(*c));
	if (!c)
		check_no_memory();
	facts_files_init(&c->next, mb->index.dirfd, mb->base.guid, mb->index.generation + 1);
	facts_files_remove(&c->next); /* of an earlier attempt */
	return c;
}

static void end(struct maildir_box *mb)
{
	facts_files_rest(&mb->compaction->next);
	free(mb->compaction->v);
	free(mb->compaction);
	mb->compaction = NULL;
}

void maildir_facts_compact_abort(struct maildir_box *mb)
{
	if (!mb->compaction)
		return;
	facts_files_remove(&mb->compaction->next);
	end(mb);
}

static void copy_one(struct maildir_box *mb, const struct store_rec *r)
{
	struct maildir_compaction *c = mb->compaction;
	struct mime_facts facts;

	if (r->state & STORE_REC_GONE || r->facts == 0 ||
	    facts_files_all(&mb->facts, r->facts, r->uid, &facts) < 0)
		return;
	int64_t saved = facts_files_saved(&mb->facts, r->facts, r->uid);
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 256;
		c->v = realloc(c->v, c->cap * sizeof(*c->v));
		if (!c->v)
			check_no_memory();
	}
	c->v[c->n++] = (struct copied){ r->uid, r->facts,
					facts_files_put(&c->next, r->uid, &facts, saved) };
}

/* Those that were not copied are made again when somebody asks. */
static void take_over(struct maildir_box *mb)
{
	struct maildir_compaction *c = mb->compaction;
	struct store_messages *m = &mb->base.messages;
	size_t k = 0;

	facts_files_flush(&c->next);
	if (c->next.failed) {
		maildir_facts_compact_abort(mb);
		mb->facts.puts = 0; /* not again before the mailbox is loaded anew */
		return;
	}
	for (uint32_t i = 0; i < m->n; i++) {
		struct store_rec *r = &m->v[i];
		while (k < c->n && c->v[k].uid < r->uid)
			k++;
		bool same = k < c->n && c->v[k].uid == r->uid && c->v[k].from == r->facts;
		r->facts = same ? c->v[k].to : 0;
	}
	struct facts_files old = mb->facts;
	mb->facts = c->next;
	facts_files_init(&c->next, -1, mb->base.guid, 0);
	end(mb);
	mb->index.generation = mb->facts.generation;
	mb->facts_from = 0;
	mb->base.told_too_late = true; /* the places are news: a new picture */
	store_box_begin_change(&mb->base);
	maildir_index_write(mb);
	facts_files_remove(&old);
}

bool maildir_facts_compact(struct maildir_box *mb)
{
	const struct store_messages *m = &mb->base.messages;

	if (!mb->compaction && !is_due(mb))
		return false;
	if (!mb->compaction)
		mb->compaction = begin(mb);
	uint32_t i = store_messages_from_uid(m, mb->compaction->uid);
	for (unsigned n = 0; i < m->n && n < SLICE; i++, n++)
		copy_one(mb, &m->v[i]);
	mb->compaction->uid = i < m->n ? m->v[i].uid : mb->base.uidnext;
	if (i == m->n)
		take_over(mb);
	return true;
}
