#include "imap/thread_link.h"

#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "mime/facts.h"

/* Nodes for messages that are not here, per message that is and at least. Real mail has fewer of
 * them than of the others. */
#define ABSENT_PER_MESSAGE 3
#define ABSENT_MIN	   1000

/* Ancestors that are looked at to keep loops out. Of a deeper thread a link that would join it to
 * another with branches of its own is left out. */
#define ANCESTORS_MAX 10000

void thread_nodes_init(struct thread_nodes *t, uint32_t messages)
{
	uint64_t max = (uint64_t)messages * (1 + ABSENT_PER_MESSAGE) + ABSENT_MIN;

	*t = (struct thread_nodes){ .seed = rand_seed() | 1 };
	/* Room for the nodes that merging makes. */
	t->max = max < UINT32_MAX / 4 ? (uint32_t)max : UINT32_MAX / 4;
}

void thread_nodes_done(struct thread_nodes *t)
{
	free(t->v);
	free(t->slots);
	*t = (struct thread_nodes){ 0 };
}

uint32_t thread_nodes_add(struct thread_nodes *t)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 256;
		struct thread_node *v = reallocarray(t->v, t->cap, sizeof(*v));
		if (!v)
			check_no_memory();
		t->v = v;
	}
	t->v[t->n] = (struct thread_node){ .parent = THREAD_NONE };
	return t->n++;
}

/* The IDs are hashes that anybody can compute; where they land in the table nobody can. */
static uint32_t slot_of(const struct thread_nodes *t, uint64_t id)
{
	__uint128_t m = (__uint128_t)(id ^ t->seed) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)((uint64_t)(m >> 64) ^ (uint64_t)m) & (t->nslots - 1);
}

static void put_slot(struct thread_nodes *t, uint32_t node)
{
	uint32_t i = slot_of(t, t->v[node].id);

	while (t->slots[i])
		i = (i + 1) & (t->nslots - 1);
	t->slots[i] = node + 1;
}

static void grow_slots(struct thread_nodes *t)
{
	free(t->slots);
	t->nslots = t->nslots ? 2 * t->nslots : 512;
	t->slots = calloc(t->nslots, sizeof(*t->slots));
	if (!t->slots)
		check_no_memory();
	for (uint32_t i = 0; i < t->n; i++)
		if (t->v[i].id)
			put_slot(t, i);
}

/* The node with an ID, made when it is new; THREAD_NONE when there may be no more. */
static uint32_t node_of(struct thread_nodes *t, uint64_t id)
{
	if (t->used * 2 >= t->nslots)
		grow_slots(t);
	for (uint32_t i = slot_of(t, id); t->slots[i]; i = (i + 1) & (t->nslots - 1))
		if (t->v[t->slots[i] - 1].id == id)
			return t->slots[i] - 1;
	if (t->n >= t->max)
		return THREAD_NONE;
	uint32_t node = thread_nodes_add(t);
	t->v[node].id = id;
	put_slot(t, node);
	t->used++;
	return node;
}

/* Would the child be an ancestor of its parent? One without children is nobody's ancestor. */
static bool would_loop(const struct thread_nodes *t, uint32_t parent, uint32_t child)
{
	if (parent == child)
		return true;
	if (t->v[child].children == 0)
		return false;
	for (unsigned i = 0; i < ANCESTORS_MAX; i++) {
		parent = t->v[parent].parent;
		if (parent == THREAD_NONE)
			return false;
		if (parent == child)
			return true;
	}
	return true;
}

static void set_parent(struct thread_nodes *t, uint32_t child, uint32_t parent)
{
	struct thread_node *c = &t->v[child];

	if (c->parent != THREAD_NONE)
		t->v[c->parent].children--;
	c->parent = parent;
	if (parent != THREAD_NONE)
		t->v[parent].children++;
}

/* The message's own node: that of its ID, unless another message has taken it. */
static uint32_t message_node(struct thread_nodes *t, uint32_t seq, uint64_t id)
{
	uint32_t node = id ? node_of(t, id) : THREAD_NONE;

	if (node == THREAD_NONE || t->v[node].seq)
		node = thread_nodes_add(t);
	t->v[node].seq = t->v[node].tie = seq;
	return node;
}

uint32_t thread_nodes_link(struct thread_nodes *t, uint32_t seq, const struct mime_facts *f)
{
	uint32_t node = message_node(t, seq, f ? f->id : 0);
	uint32_t last = THREAD_NONE;

	for (unsigned i = 0; f && i < f->nrefs; i++) {
		uint32_t ref = node_of(t, mime_facts_ref(f, i));
		if (ref == THREAD_NONE)
			continue;
		/* 1.A: existing links stay. */
		if (last != THREAD_NONE && t->v[ref].parent == THREAD_NONE &&
		    !would_loop(t, last, ref))
			set_parent(t, ref, last);
		last = ref;
	}
	/* 1.B: a link that there is was made by somebody who knew less. */
	if (last == THREAD_NONE) {
		set_parent(t, node, THREAD_NONE);
	} else if (t->v[node].parent != last) {
		set_parent(t, node, THREAD_NONE);
		if (!would_loop(t, last, node))
			set_parent(t, node, last);
	}
	return node;
}
