/* LIST and LSUB (RFC 3501 6.3.8, 6.3.9; RFC 5258, 5819, 6154). */
#include "base/map.h"
#include "imap/box.h"
#include "imap/list_args.h"
#include "imap/list_match.h"
#include "imap/session_state.h"
#include "imap/status_items.h"
#include "imap/write.h"

#define RESPONSE_MAX 20000

static bool matches(const struct imap_list_args *args, struct str name, char separator)
{
	for (size_t i = 0; i < args->n; i++)
		if (imap_list_match(args->patterns[i], name, separator))
			return true;
	return false;
}

/* Does a mailbox meet the selection options itself? */
static bool is_selected(const struct imap_list_args *args, uint32_t attrs)
{
	if ((args->options & IMAP_LIST_SUBSCRIBED) && !(attrs & STORE_BOX_SUBSCRIBED))
		return false;
	if ((args->options & IMAP_LIST_SPECIAL_USE) && !(attrs & STORE_BOX_SPECIAL))
		return false;
	/* A name that is only subscribed is listed only when subscriptions are asked for. */
	return (args->options & IMAP_LIST_SUBSCRIBED) ||
	       (attrs & (STORE_BOX_EXISTS | STORE_BOX_HAS_CHILDREN));
}

/* Put every ancestor of the selected mailboxes into a set. */
static void collect_parents(const struct imap_list_args *args, const struct store_box_list *boxes,
			    struct map *parents)
{
	for (size_t i = 0; i < boxes->n; i++) {
		struct str name = boxes->v[i].name;
		if (!is_selected(args, boxes->v[i].attrs))
			continue;
		for (ssize_t dot = str_rfind_byte(name, '.'); dot > 0;
		     dot = str_rfind_byte(name, '.')) {
			name = str_sub(name, 0, (size_t)dot);
			/* Its own ancestors are there as well. */
			if (map_put(parents, name, &boxes->v[i]))
				break;
		}
	}
}

static void put_attr(struct buf *b, const char **space, const char *name)
{
	buf_puts(b, *space);
	buf_puts(b, name);
	*space = " ";
}

static void write_attrs(struct buf *b, uint32_t attrs, unsigned options)
{
	const char *space = "";

	buf_putc(b, '(');
	if (!(attrs & STORE_BOX_EXISTS))
		put_attr(b, &space, options & IMAP_LIST_EXTENDED ? "\\NonExistent" : "\\Noselect");
	if (attrs & STORE_BOX_HAS_CHILDREN)
		put_attr(b, &space, "\\HasChildren");
	else
		put_attr(b, &space, "\\HasNoChildren");
	if ((options & IMAP_LIST_TELL_SUBSCRIBED) && (attrs & STORE_BOX_SUBSCRIBED))
		put_attr(b, &space, "\\Subscribed");
	for (uint32_t use = 1; use <= STORE_BOX_SPECIAL; use <<= 1)
		if (attrs & use & STORE_BOX_SPECIAL)
			put_attr(b, &space, store_special_use_name(use));
	buf_putc(b, ')');
}

/* RFC 5258 3.5: which selection the children meet. */
static void write_childinfo(struct buf *b, unsigned options)
{
	buf_puts(b, " (\"CHILDINFO\" (");
	if (options & IMAP_LIST_SUBSCRIBED)
		buf_puts(b, "\"SUBSCRIBED\"");
	if ((options & IMAP_LIST_SUBSCRIBED) && (options & IMAP_LIST_SPECIAL_USE))
		buf_putc(b, ' ');
	if (options & IMAP_LIST_SPECIAL_USE)
		buf_puts(b, "\"SPECIAL-USE\"");
	buf_puts(b, "))");
}

static int may_suspend list_one(struct imap_session *s, const struct imap_list_args *args,
				const struct store_box_entry *e, bool parent, char separator)
{
	struct imap_box box;
	struct err err;
	struct buf b;

	buf_init(&b, &s->arena, RESPONSE_MAX);
	buf_puts(&b, "* LIST ");
	bool rev2 = s->enabled & IMAP_ENABLED_REV2;
	write_attrs(&b, e->attrs, args->options | (rev2 ? IMAP_LIST_EXTENDED : 0));
	buf_printf(&b, " \"%c\" ", separator);
	imap_write_mailbox(&b, e->name, imap_speaks_utf8(s));
	if (parent)
		write_childinfo(&b, args->options);
	buf_puts(&b, "\r\n");
	imap_send(s, &b);
	if (!args->status || !(e->attrs & STORE_BOX_EXISTS))
		return 0;
	/* RFC 5819 2: no STATUS response for a mailbox that has none. */
	if (imap_box_find(s, e->name, STORE_RIGHT_READ, &box) ||
	    imap_status_write(s, &box, e->name, args->status, &err) < 0)
		return 0;
	return imap_work(s, 1);
}

static int may_suspend list_all(struct imap_session *s, const struct imap_list_args *args,
				const struct store_box_list *boxes, const struct map *parents,
				char separator)
{
	int r = 0;

	for (size_t i = 0; i < boxes->n && r == 0; i++) {
		const struct store_box_entry *e = &boxes->v[i];
		if (!matches(args, e->name, separator))
			continue;
		bool parent = map_get(parents, e->name) != NULL;
		if (is_selected(args, e->attrs) || parent)
			r = list_one(s, args, e, parent, separator);
	}
	return r;
}

int imap_cmd_list(struct imap_session *s)
{
	struct store_box_list boxes;
	struct imap_list_args args;
	struct map parents;
	struct err err;

	int r = imap_list_args_parse(&s->lexer, &args);
	if (r < 0)
		return r;
	if (args.ask_root) {
		stream_puts(s->stream, "* LIST (\\Noselect) \".\" \"\"\r\n");
		return imap_ok(s, "List completed.");
	}
	r = store_box_list(s->store, &s->arena, &boxes, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	map_init(&parents);
	if (args.options & IMAP_LIST_RECURSIVE)
		collect_parents(&args, &boxes, &parents);
	r = list_all(s, &args, &boxes, &parents, '.');
	if (r == 0) {
		imap_box_list_shared(s, &boxes);
		r = list_all(s, &args, &boxes, &parents, IMAP_SHARED_SEPARATOR);
	}
	map_done(&parents);
	return r < 0 ? r : imap_ok(s, "List completed.");
}

static void may_suspend lsub_one(struct imap_session *s, struct str name, const char *attrs,
				 char separator)
{
	struct buf b;

	buf_init(&b, &s->arena, RESPONSE_MAX);
	buf_printf(&b, "* LSUB (%s) \"%c\" ", attrs, separator);
	imap_write_mailbox(&b, name, imap_speaks_utf8(s));
	buf_puts(&b, "\r\n");
	imap_send(s, &b);
}

/* RFC 3501 6.3.9: where '%' stops above a subscribed mailbox, the level that it matches is
 * returned, as \Noselect. */
static void may_suspend lsub_all(struct imap_session *s, const struct imap_list_args *args,
				 const struct store_box_list *boxes)
{
	struct map parents;

	map_init(&parents);
	collect_parents(args, boxes, &parents);
	for (size_t i = 0; i < boxes->n; i++) {
		struct str name = boxes->v[i].name;
		if (!(boxes->v[i].attrs & STORE_BOX_SUBSCRIBED))
			continue;
		map_remove(&parents, name);
		if (matches(args, name, '.'))
			lsub_one(s, name, "", '.');
	}
	bool level = args->n && str_ends(args->patterns[0], STR("%"));
	for (struct map_slot *p = map_next(&parents, NULL); level && p; p = map_next(&parents, p))
		if (matches(args, p->key, '.'))
			lsub_one(s, p->key, "\\Noselect", '.');
	map_done(&parents);
}

static void may_suspend lsub_shared(struct imap_session *s, const struct imap_list_args *args)
{
	struct store_box_list boxes;

	imap_box_list_shared(s, &boxes);
	for (size_t i = 0; i < boxes.n; i++)
		if (boxes.v[i].attrs & STORE_BOX_SUBSCRIBED &&
		    matches(args, boxes.v[i].name, IMAP_SHARED_SEPARATOR))
			lsub_one(s, boxes.v[i].name, "", IMAP_SHARED_SEPARATOR);
}

int imap_cmd_lsub(struct imap_session *s)
{
	struct store_box_list boxes;
	struct imap_list_args args;
	struct err err;

	int r = imap_lsub_args_parse(&s->lexer, &args);
	if (r < 0)
		return r;
	if (args.ask_root) {
		stream_puts(s->stream, "* LSUB (\\Noselect) \".\" \"\"\r\n");
		return imap_ok(s, "Lsub completed.");
	}
	r = store_box_list(s->store, &s->arena, &boxes, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	args.options = IMAP_LIST_SUBSCRIBED;
	lsub_all(s, &args, &boxes);
	lsub_shared(s, &args);
	return imap_ok(s, "Lsub completed.");
}
