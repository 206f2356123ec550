#include "imap/search_index.h"

#include <errno.h>

#include "imap/search_key.h"
#include "imap/session_state.h"

static bool asks_for_text(const struct imap_search_key *k)
{
	return k->kind == IMAP_SEARCH_BODY || k->kind == IMAP_SEARCH_TEXT;
}

/* The keys in a tree are visited without recursion; those with children come before them. */
static struct imap_search_key *first_text(struct imap_search_key *k, struct imap_search_key **rest,
					  size_t *n)
{
	for (;;) {
		for (struct imap_search_key *c = k->children; c; c = c->next)
			rest[(*n)++] = c;
		if (asks_for_text(k))
			return k;
		if (*n == 0)
			return NULL;
		k = rest[--*n];
	}
}

static void may_suspend ask(struct imap_session *s, struct imap_search_key *k)
{
	struct fts_query q = { k->text, k->kind == IMAP_SEARCH_TEXT };
	struct imap_search_found found = { .exact = k->text.n <= FTS_EXACT_MAX };

	if (!fts_can_find(k->text) ||
	    fts_find(s->params->fts, s->params->mail_path, &q, &s->arena, &found.ids) < 0)
		return;
	k->found = ARENA_NEW(&s->arena, struct imap_search_found);
	*k->found = found;
}

void imap_search_index_ask(struct imap_search_index *x, struct imap_session *s,
			   struct imap_search_key *root)
{
	struct imap_search_key **rest;
	size_t n = 0;

	*x = (struct imap_search_index){ 0 };
	if (!s->params->fts || root->cost < IMAP_SEARCH_BODY)
		return;
	rest = ARENA_NEW_ARRAY(&s->arena, struct imap_search_key *, IMAP_SEARCH_KEYS_MAX);
	/* Before the texts: what is added meanwhile is not taken for a message without them. */
	if (fts_known(s->params->fts, s->params->mail_path, &s->arena, &x->known) < 0)
		return;
	x->usable = true;
	for (struct imap_search_key *k = first_text(root, rest, &n); k;) {
		ask(s, k);
		k = n ? first_text(rest[--n], rest, &n) : NULL;
	}
}

static void look_up(struct imap_search_index *x, struct str guid)
{
	int64_t id = fts_id(guid);

	if (x->id == id)
		return;
	x->id = id;
	x->is_known = fts_ids_has(&x->known.all, id);
	x->is_cut = x->known.cut.n && fts_ids_has(&x->known.cut, id);
}

int imap_search_index_says(struct imap_search_index *x, const struct imap_search_key *k,
			   struct str guid)
{
	if (!x->usable || !k->found)
		return -ENODATA;
	look_up(x, guid);
	if (!x->is_known) {
		x->lacks = true;
		return -ENODATA;
	}
	if (fts_ids_has(&k->found->ids, x->id))
		return k->found->exact ? 1 : -ENODATA;
	return x->is_cut ? -ENODATA : 0;
}
