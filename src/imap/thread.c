#include "imap/thread.h"

#include <string.h>

#include "base/map.h"
#include "imap/answers.h"
#include "imap/merge_sort.h"
#include "imap/progress.h"
#include "imap/search_run.h"
#include "imap/session_state.h"
#include "imap/thread_link.h"
#include "mime/facts.h"

#define MESSAGES_PER_UNIT 100
#define NODES_PER_UNIT	  5000
#define SEND_FROM	  ((size_t)32768)

struct threads {
	struct imap_session *s;
	enum imap_thread_by how;
	struct imap_progress progress;
	struct thread_nodes nodes;
	uint32_t *sorted; /* nodes that are written, siblings together and in order */
	size_t n;
	uint32_t *first_child; /* place in `sorted`, by node */
	struct buf text;       /* the response, to be kept */
	bool missed;	       /* a message could not be read */
};

static struct thread_node *node_at(struct threads *t, uint32_t i)
{
	return &t->nodes.v[i];
}

/* Others have their turn now and then; what is shared with them is not looked at meanwhile. */
static int may_suspend breathe(struct threads *t, uint32_t i)
{
	return imap_progress_work(&t->progress, i % NODES_PER_UNIT == 0, t->progress.goal);
}

static void load(struct threads *t, uint32_t seq, struct arena *scratch)
{
	struct store_message m = { .date = INT64_MIN };
	struct mime_facts facts;
	struct err err;
	bool linked = t->how != IMAP_THREAD_ORDEREDSUBJECT;

	(void)!store_view_message_full(t->s->view, seq, &m, &err);
	bool known = store_view_hot_facts(t->s->view, seq, scratch, &facts, &err) == 0;
	t->missed |= !known;
	uint32_t i = thread_nodes_link(&t->nodes, seq, known && linked ? &facts : NULL);
	struct thread_node *n = node_at(t, i);
	/* RFC 5256 2.2 */
	n->date = known && facts.flags & MIME_FACTS_HAS_DATE ? facts.sent : m.date;
	if (!known)
		return;
	n->is_response = facts.flags & MIME_FACTS_RESPONSE;
	n->subject = arena_str(&t->s->arena, mime_facts_key(&facts, MIME_FACTS_BASE_SUBJECT));
}

static int may_suspend load_all(struct threads *t, const struct imap_found *found)
{
	auto_arena struct arena scratch = ARENA_INIT;
	int r = 0;

	for (size_t i = 0; i < found->n && r == 0; i++) {
		load(t, found->v[i], &scratch);
		if (scratch.chunks)
			arena_reset(&scratch);
		r = imap_progress_work(&t->progress, i % MESSAGES_PER_UNIT == 0, i);
	}
	return r;
}

/* The nearest ancestor that is here, else the outermost one that is not; or THREAD_NONE. The
 * nodes between are led past each other, so that nobody goes that way again. */
static uint32_t kept_parent(struct threads *t, uint32_t i)
{
	uint32_t top = node_at(t, i)->parent;

	while (top != THREAD_NONE && !node_at(t, top)->seq &&
	       node_at(t, top)->parent != THREAD_NONE)
		top = node_at(t, top)->parent;
	for (uint32_t p = node_at(t, i)->parent, up; p != top; p = up) {
		up = node_at(t, p)->parent;
		node_at(t, p)->parent = top;
	}
	return top;
}

static bool is_before(const struct thread_node *a, const struct thread_node *b)
{
	return a->date != b->date ? a->date < b->date : a->tie < b->tie;
}

/* REFERENCES, step 3: nodes that are not here go, and their children take their place; but one
 * below the root stays when it holds several together. It sorts as the first of them. */
static void prune(struct threads *t)
{
	uint32_t count = t->nodes.n;

	for (uint32_t i = 0; i < count; i++) {
		if (node_at(t, i)->seq)
			node_at(t, i)->parent = kept_parent(t, i);
		node_at(t, i)->children = 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct thread_node *n = node_at(t, i);
		if (n->seq && n->parent != THREAD_NONE)
			node_at(t, n->parent)->children++;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct thread_node *n = node_at(t, i);
		struct thread_node *p = n->parent == THREAD_NONE ? NULL : node_at(t, n->parent);
		if (!n->seq || !p || p->seq)
			continue;
		if (p->children == 1) {
			n->parent = THREAD_NONE;
			p->children = 0;
		} else if (p->tie == 0 || is_before(n, p)) {
			p->date = n->date;
			p->tie = n->tie;
			p->subject = n->subject;
		}
	}
}

static bool is_written(struct threads *t, uint32_t i)
{
	return node_at(t, i)->seq || node_at(t, i)->children;
}

static int by_date(const void *ctx, uint32_t a, uint32_t b)
{
	const struct threads *t = ctx;
	const struct thread_node *x = &t->nodes.v[a], *y = &t->nodes.v[b];

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	return (x->tie > y->tie) - (x->tie < y->tie);
}

static int by_subject(const void *ctx, uint32_t a, uint32_t b)
{
	const struct threads *t = ctx;
	int c = str_cmp(t->nodes.v[a].subject, t->nodes.v[b].subject);

	return c ? c : by_date(ctx, a, b);
}

/* Siblings together; threads, whose parent is the largest of numbers, at the end. */
static int by_place(const void *ctx, uint32_t a, uint32_t b)
{
	const struct threads *t = ctx;
	const struct thread_node *x = &t->nodes.v[a], *y = &t->nodes.v[b];

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	if (t->how != IMAP_THREAD_REFS || x->parent != THREAD_NONE)
		return by_date(ctx, a, b);
	if (x->latest != y->latest)
		return x->latest < y->latest ? -1 : 1;
	return (x->latest_seq > y->latest_seq) - (x->latest_seq < y->latest_seq);
}

/* The written nodes for which `pick` holds, in an order. */
static int may_suspend sort_nodes(struct threads *t, bool only_roots, imap_order_fn *order)
{
	t->sorted = ARENA_NEW_ARRAY(&t->s->arena, uint32_t, t->nodes.n);
	t->n = 0;
	for (uint32_t i = 0; i < t->nodes.n; i++)
		if (is_written(t, i) && !(only_roots && node_at(t, i)->parent != THREAD_NONE))
			t->sorted[t->n++] = i;
	return imap_merge_sort(&t->progress, t->sorted, t->n, order, t);
}

static uint32_t known_subject(const struct map *subjects, struct str subject)
{
	return (uint32_t)(uintptr_t)map_get(subjects, subject) - 1;
}

static void know_subject(struct map *subjects, struct str subject, uint32_t node)
{
	map_put(subjects, subject, (void *)((uintptr_t)node + 1));
}

/* Step 5.B: which thread of several with one subject the others join. */
static void choose(struct threads *t, struct map *subjects, uint32_t i)
{
	const struct thread_node *n = node_at(t, i);

	if (n->subject.n == 0)
		return;
	uint32_t there = known_subject(subjects, n->subject);
	if (there == THREAD_NONE) {
		know_subject(subjects, n->subject, i);
		return;
	}
	const struct thread_node *o = node_at(t, there);
	if (o->seq && (!n->seq || (o->is_response && !n->is_response)))
		know_subject(subjects, n->subject, i);
}

/* Step 5.C. Children of a node that is led to another come along: prune sees to that. */
static void join(struct threads *t, struct map *subjects, uint32_t i)
{
	const struct thread_node *n = node_at(t, i);
	uint32_t there = n->subject.n ? known_subject(subjects, n->subject) : i;

	if (there == i)
		return;
	const struct thread_node *o = node_at(t, there);
	if (!o->seq || (n->is_response && !o->is_response)) {
		node_at(t, i)->parent = there;
		return;
	}
	struct str subject = n->subject;
	uint32_t both = thread_nodes_add(&t->nodes);
	node_at(t, i)->parent = node_at(t, there)->parent = both;
	node_at(t, both)->subject = subject;
	know_subject(subjects, subject, both);
}

static int may_suspend gather_subjects(struct threads *t)
{
	struct map subjects;

	int r = sort_nodes(t, true, by_date);
	if (r < 0)
		return r;
	map_init(&subjects);
	for (uint32_t i = 0; i < t->n && r == 0; i++) {
		choose(t, &subjects, t->sorted[i]);
		r = breathe(t, i);
	}
	for (uint32_t i = 0; i < t->n && r == 0; i++) {
		join(t, &subjects, t->sorted[i]);
		r = breathe(t, i);
	}
	map_done(&subjects);
	prune(t);
	return r;
}

static uint32_t root_of(struct threads *t, uint32_t *roots, uint32_t i)
{
	uint32_t root = i;

	while (roots[root] == THREAD_NONE && node_at(t, root)->parent != THREAD_NONE)
		root = node_at(t, root)->parent;
	if (roots[root] != THREAD_NONE)
		root = roots[root];
	for (uint32_t p = i; p != root && roots[p] == THREAD_NONE; p = node_at(t, p)->parent)
		roots[p] = root;
	roots[root] = root;
	return root;
}

/* REFS: a thread is as new as its latest message. */
static void date_threads(struct threads *t)
{
	uint32_t *roots = ARENA_NEW_ARRAY(&t->s->arena, uint32_t, t->nodes.n);

	for (uint32_t i = 0; i < t->nodes.n; i++) {
		roots[i] = THREAD_NONE;
		node_at(t, i)->latest = INT64_MIN;
	}
	for (uint32_t i = 0; i < t->nodes.n; i++) {
		if (!node_at(t, i)->seq)
			continue;
		const struct thread_node *n = node_at(t, i);
		struct thread_node *root = node_at(t, root_of(t, roots, i));
		if (root->latest > n->date ||
		    (root->latest == n->date && root->latest_seq > n->seq))
			continue;
		root->latest = n->date;
		root->latest_seq = n->seq;
	}
}

/* ORDEREDSUBJECT: the first message of a subject is the parent of all others. */
static int may_suspend group_subjects(struct threads *t)
{
	int r = sort_nodes(t, false, by_subject);

	for (uint32_t i = 1, first = 0; i < t->n && r == 0; i++) {
		struct thread_node *n = node_at(t, t->sorted[i]);
		if (!str_eq(n->subject, node_at(t, t->sorted[first])->subject)) {
			first = i;
		} else {
			n->parent = t->sorted[first];
			node_at(t, n->parent)->children++;
		}
		r = breathe(t, i);
	}
	return r;
}

static int may_suspend put_in_order(struct threads *t)
{
	int r = sort_nodes(t, false, by_place);

	if (r < 0)
		return r;
	t->first_child = ARENA_NEW_ARRAY(&t->s->arena, uint32_t, t->nodes.n);
	for (size_t i = t->n; i-- > 0;) {
		uint32_t parent = node_at(t, t->sorted[i])->parent;
		if (parent != THREAD_NONE)
			t->first_child[parent] = (uint32_t)i;
	}
	return 0;
}

/* Has the node at a place its own parentheses? All have but an only child. */
static bool is_enclosed(struct threads *t, size_t at)
{
	uint32_t parent = node_at(t, t->sorted[at])->parent;

	return parent == THREAD_NONE || node_at(t, parent)->children > 1;
}

static void put_node(struct threads *t, struct buf *b, size_t at)
{
	const struct thread_node *n = node_at(t, t->sorted[at]);

	if (is_enclosed(t, at))
		buf_putc(b, '(');
	if (!n->seq)
		return;
	buf_put_u64(b, t->s->uid ? store_view_uid(t->s->view, n->seq) : n->seq);
	if (n->children)
		buf_putc(b, ' ');
}

/* Behind the node at a place and all below it: the place to go on with, or t->n when its thread is
 * at its end. */
static size_t leave(struct threads *t, struct buf *b, size_t at)
{
	for (;;) {
		uint32_t parent = node_at(t, t->sorted[at])->parent;
		if (is_enclosed(t, at))
			buf_putc(b, ')');
		if (parent == THREAD_NONE)
			return t->n;
		if (at + 1 < t->n && node_at(t, t->sorted[at + 1])->parent == parent)
			return at + 1;
		/* The parent's place is where its own siblings begin, or behind that. */
		at = node_at(t, parent)->tie;
	}
}

static void may_suspend send_part(struct threads *t, struct buf *b)
{
	buf_put(&t->text, b->p, b->n);
	imap_send(t->s, b);
}

/* Without recursion: a thread may be as deep as there are messages. */
static int may_suspend write_thread(struct threads *t, struct buf *b, size_t root)
{
	uint32_t written = 0;
	int r = 0;

	for (size_t at = root; at < t->n && r == 0;) {
		uint32_t node = t->sorted[at];
		put_node(t, b, at);
		at = node_at(t, node)->children ? t->first_child[node] : leave(t, b, at);
		if (b->n >= SEND_FROM)
			send_part(t, b);
		r = imap_work(t->s, ++written % NODES_PER_UNIT == 0);
	}
	return r;
}

static int may_suspend write_all(struct threads *t)
{
	auto_buf struct buf b;
	int r = 0;

	buf_init(&b, NULL, SIZE_MAX / 2);
	buf_puts(&b, t->n ? "* THREAD " : "* THREAD");
	/* What broke ties is not needed any more; now it is the node's place. */
	for (size_t i = 0; i < t->n; i++)
		node_at(t, t->sorted[i])->tie = (uint32_t)i;
	for (size_t i = 0; i < t->n && r == 0; i++)
		if (node_at(t, t->sorted[i])->parent == THREAD_NONE)
			r = write_thread(t, &b, i);
	buf_puts(&b, "\r\n");
	if (r == 0)
		send_part(t, &b);
	return r;
}

static int may_suspend run(struct threads *t, const struct imap_found *found)
{
	int r = load_all(t, found);

	if (r == 0 && t->how == IMAP_THREAD_ORDEREDSUBJECT) {
		r = group_subjects(t);
	} else if (r == 0) {
		prune(t);
		if (t->how == IMAP_THREAD_REFERENCES)
			r = gather_subjects(t);
		else
			date_threads(t);
	}
	if (r == 0)
		r = put_in_order(t);
	return r < 0 ? r : write_all(t);
}

/* The numbers of the response count: it is text. */
static struct str question(struct imap_session *s, enum imap_thread_by how)
{
	return arena_printf(&s->arena, "THREAD %d%s", (int)how, s->uid ? " UID" : "");
}

/* The text of an earlier response to the same, in the session's arena. */
static bool recall(struct imap_session *s, struct str asked, const struct imap_found *found,
		   struct str *out)
{
	const uint32_t *uids = imap_found_uids(s, found);
	size_t size = found->n * sizeof(*uids);
	struct imap_answer a;

	if (!imap_answer_find(s, asked, &a) || a.n != found->n || memcmp(a.uids, uids, size) != 0 ||
	    (!s->uid && memcmp(a.numbers, found->v, size) != 0))
		return false;
	*out = arena_str(&s->arena, a.text);
	return true;
}

static int may_suspend work_out(struct imap_session *s, enum imap_thread_by how,
				const struct imap_found *found, struct str asked)
{
	struct threads t = { .s = s, .how = how };
	struct imap_answer answer = { imap_found_uids(s, found), found->v, found->n, STR_NONE };

	imap_progress_begin(&t.progress, s, found->n);
	thread_nodes_init(&t.nodes, (uint32_t)found->n);
	buf_init(&t.text, NULL, SIZE_MAX / 2);
	int r = run(&t, found);
	answer.text = buf_str(&t.text);
	if (r == 0 && !t.missed)
		imap_answer_keep(s, asked, &answer);
	buf_done(&t.text);
	thread_nodes_done(&t.nodes);
	return r;
}

int imap_thread_run(struct imap_session *s, enum imap_thread_by how, const struct imap_found *found)
{
	struct str asked = question(s, how), text;

	if (!recall(s, asked, found, &text))
		return work_out(s, how, found, asked);
	stream_write(s->stream, text);
	return stream_error(s->stream);
}
