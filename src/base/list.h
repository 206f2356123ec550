/* Intrusive doubly linked ring: `struct list` is embedded in the object, and is the list's head
 * too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Insert `item` before `at`; with the head as `at` that is the end of the list. */
static inline void list_insert(struct list *at, struct list *item)
{
	item->next = at;
	item->prev = at->prev;
	at->prev->next = item;
	at->prev = item;
}

static inline void list_append(struct list *head, struct list *item)
{
	list_insert(head, item);
}

static inline void list_prepend(struct list *head, struct list *item)
{
	list_insert(head->next, item);
}

/* Take out; harmless when it is in no list (initialised). */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

/* First item removed, or NULL. */
static inline struct list *list_shift(struct list *head)
{
	struct list *first = head->next;
	if (first == head)
		return NULL;
	list_remove(first);
	return first;
}

#define LIST_ITEM(ptr, type, member) CONTAINER_OF(ptr, type, member)

/* The body must not change the list... */
#define LIST_FOREACH(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)

/* ...except by removing `it` itself. */
#define LIST_FOREACH_SAFE(it, head)                                                                \
	for (struct list *it = (head)->next, *next_##it = it->next; it != (head);                  \
	     it = next_##it, next_##it = it->next)
