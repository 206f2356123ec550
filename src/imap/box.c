#include "imap/box.h"

#include <errno.h>
#include <stdlib.h>

#include "imap/session_state.h"

#define OWNERS_MAX 50

/* Behind it stands the name of a shared mailbox. */
#define SUBSCRIBED "/private/vendor/posthorn/subscribed/"

/* An account of somebody else that this session has opened. */
struct imap_guest {
	struct imap_guest *next;
	struct str account;
	struct store *store;
};

static int may_suspend open_guest(struct imap_session *s, struct str account, struct store **out)
{
	struct imap_guest *g;
	struct err err;

	for (g = s->guests; g; g = g->next)
		if (str_eq(g->account, account)) {
			*out = g->store;
			return 0;
		}
	if (!s->params->open_account || s->nguests == OWNERS_MAX)
		return -ENOENT;
	int r = s->params->open_account(s->params->ctx, account, out, &err);
	if (r < 0)
		return r;
	g = ARENA_NEW(&s->guest_memory, struct imap_guest);
	*g = (struct imap_guest){ s->guests, arena_str(&s->guest_memory, account), *out };
	s->guests = g;
	s->nguests++;
	return 0;
}

void imap_box_done(struct imap_session *s)
{
	for (struct imap_guest *g = s->guests; g; g = g->next)
		store_close(g->store);
	s->guests = NULL;
	arena_done(&s->guest_memory);
}

static struct str swap_separator(struct arena *a, struct str name, char from, char to)
{
	char *p = arena_cstr(a, name);

	for (size_t i = 0; i < name.n; i++)
		if (p[i] == from)
			p[i] = to;
	return str_of(p, name.n);
}

/* "shared/alice@example.org/Work/2024" to the account and "Work.2024". */
static bool split_shared(struct arena *a, struct str name, struct str *account, struct str *box)
{
	struct str rest = str_skip(name, strlen(IMAP_SHARED_PREFIX));

	if (!str_cut(rest, IMAP_SHARED_SEPARATOR, account, &rest) || account->n == 0 ||
	    str_find_byte(rest, '.') >= 0)
		return false;
	*box = swap_separator(a, rest, IMAP_SHARED_SEPARATOR, '.');
	return true;
}

static uint32_t rights_on(struct imap_session *s, struct store *store, struct str box)
{
	struct store_acl acl;
	struct err err;

	if (store_acl_read(store, box, &s->arena, &acl, &err) < 0)
		return 0;
	return store_acl_rights(&acl, s->params->account);
}

int imap_box_refuse(struct imap_session *s, uint32_t rights)
{
	if (rights & STORE_RIGHT_LOOKUP)
		imap_no(s, "[NOPERM] Permission denied.");
	else
		imap_no(s, "[NONEXISTENT] No such mailbox.");
	return 1;
}

static void own_box(struct imap_session *s, struct str name, struct imap_box *out)
{
	*out = (struct imap_box){
		.store = s->store,
		.account = s->params->account,
		.name = name,
		.rights = STORE_RIGHTS_ALL,
	};
}

static int may_suspend find_shared(struct imap_session *s, struct str name, bool new_one,
				   struct imap_box *out)
{
	struct str above;

	*out = (struct imap_box){ .shared = true };
	if (!split_shared(&s->arena, name, &out->account, &out->name) ||
	    open_guest(s, out->account, &out->store) < 0)
		return imap_box_refuse(s, 0);
	above = out->name;
	if (new_one) {
		ssize_t dot = str_rfind_byte(out->name, '.');
		above = dot > 0 ? str_sub(out->name, 0, (size_t)dot) : STR_NONE;
	}
	out->rights = above.n ? rights_on(s, out->store, above) : 0;
	return 0;
}

int imap_box_find(struct imap_session *s, struct str name, uint32_t need, struct imap_box *out)
{
	if (!imap_box_is_shared(name)) {
		own_box(s, name, out);
		return 0;
	}
	int r = find_shared(s, name, false, out);
	if (r == 0 && (out->rights & need) != need)
		r = imap_box_refuse(s, out->rights);
	return r;
}

int imap_box_find_new(struct imap_session *s, struct str name, struct imap_box *out)
{
	if (!imap_box_is_shared(name)) {
		own_box(s, name, out);
		return 0;
	}
	int r = find_shared(s, name, true, out);
	if (r == 0 && !(out->rights & STORE_RIGHT_CREATE))
		r = imap_box_refuse(s, out->rights);
	return r;
}

/* What is listed so far, in order, with the levels above. */
struct listing {
	struct arena *a;
	struct store_box_list *out;
	size_t cap;
	struct store_meta_list notes;
};

static void put_entry(struct listing *l, struct str name, uint32_t attrs)
{
	struct store_box_list *out = l->out;

	if (out->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 32;
		struct store_box_entry *v = ARENA_NEW_ARRAY(l->a, struct store_box_entry, cap);
		if (out->n)
			memcpy(v, out->v, out->n * sizeof(*v));
		out->v = v;
		l->cap = cap;
	}
	out->v[out->n++] = (struct store_box_entry){ name, attrs };
}

/* Is the entry before this one at this level or below? */
static bool is_listed(const struct store_box_list *l, struct str name)
{
	if (!l->n)
		return false;
	struct str last = l->v[l->n - 1].name;
	return str_eq(last, name) ||
	       (str_starts(last, name) && last.p[name.n] == IMAP_SHARED_SEPARATOR);
}

static void put_levels(struct listing *l, struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		struct str level = str_sub(name, 0, i);
		if (name.p[i] == IMAP_SHARED_SEPARATOR && !is_listed(l->out, level))
			put_entry(l, level, STORE_BOX_HAS_CHILDREN);
	}
}

static struct str subscription(struct arena *a, struct str name)
{
	return arena_printf(a, SUBSCRIBED "%" STR_FMT, STR_ARG(name));
}

static bool is_subscribed(struct listing *l, struct str name)
{
	struct str entry = subscription(l->a, name);

	for (size_t i = 0; i < l->notes.n; i++)
		if (l->notes.v[i].box.n == 0 && str_eq(l->notes.v[i].entry, entry))
			return true;
	return false;
}

int imap_box_subscribe_shared(struct imap_session *s, struct str name, bool on, struct err *err)
{
	struct store_meta note = {
		.entry = subscription(&s->arena, name),
		.value = on ? STR("1") : STR_NONE,
	};

	return store_meta_set(s->store, &note, 1, err);
}

static void may_suspend list_owner(struct imap_session *s, struct str owner, struct listing *l)
{
	struct store_box_list boxes;
	struct store *store;
	struct err err;

	if (open_guest(s, owner, &store) < 0 || store_box_list(store, &s->arena, &boxes, &err) < 0)
		return;
	for (size_t i = 0; i < boxes.n; i++) {
		const struct store_box_entry *e = &boxes.v[i];
		if (!(e->attrs & STORE_BOX_EXISTS) ||
		    !(rights_on(s, store, e->name) & STORE_RIGHT_LOOKUP))
			continue;
		struct str name = swap_separator(&s->arena, e->name, '.', IMAP_SHARED_SEPARATOR);
		name = arena_printf(&s->arena, IMAP_SHARED_PREFIX "%" STR_FMT "/%" STR_FMT,
				    STR_ARG(owner), STR_ARG(name));
		put_levels(l, name);
		uint32_t attrs = e->attrs & (STORE_BOX_EXISTS | STORE_BOX_HAS_CHILDREN);
		put_entry(l, name, attrs | (is_subscribed(l, name) ? STORE_BOX_SUBSCRIBED : 0));
	}
}

void imap_box_list_shared(struct imap_session *s, struct store_box_list *out)
{
	struct listing l = { .a = &s->arena, .out = out };
	struct store_shares shares;
	struct err err;

	*out = (struct store_box_list){ 0 };
	if (!s->params->open_account ||
	    store_shares_of(s->params->mail_dir, s->params->account, &s->arena, &shares, &err) < 0)
		return;
	/* Without them the list is still good. */
	if (shares.n && store_meta_list(s->store, &s->arena, &l.notes, &err) < 0)
		l.notes.n = 0;
	for (size_t i = 0; i < shares.n; i++)
		list_owner(s, shares.owners[i], &l);
}

static void add_ids(struct imap_session *s, const struct imap_box *box, struct str name,
		    struct str *ids, size_t *n)
{
	struct store_acl acl;
	struct err err;

	if (store_acl_read(box->store, name, &s->arena, &acl, &err) < 0)
		return;
	for (size_t i = 0; i < acl.n; i++) {
		bool known = acl.v[i].negative;
		for (size_t k = 0; k < *n; k++)
			known |= str_eq(ids[k], acl.v[i].id);
		if (!known && *n < STORE_ACL_MAX)
			ids[(*n)++] = acl.v[i].id;
	}
}

int imap_box_publish(struct imap_session *s, const struct imap_box *box, struct err *err)
{
	struct str *ids = ARENA_NEW_ARRAY(&s->arena, struct str, STORE_ACL_MAX);
	struct store_box_list boxes;
	size_t n = 0;

	if (!s->params->open_account)
		return 0;
	int r = store_box_list(box->store, &s->arena, &boxes, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < boxes.n; i++)
		if (boxes.v[i].attrs & STORE_BOX_EXISTS)
			add_ids(s, box, boxes.v[i].name, ids, &n);
	return store_shares_set(s->params->mail_dir, box->account, ids, n, err);
}
