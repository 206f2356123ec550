#include "imap/answers.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "imap/search_run.h"
#include "imap/session_state.h"

/* All that a process keeps. A mailbox of 100,000 messages takes 1 MiB for each question. */
#define BYTES_MAX ((size_t)8 << 20)

/* What is made in less than a millisecond is not worth it. */
#define MESSAGES_MIN 1000

/* In one block: this, UIDs, numbers, question, text. */
struct kept {
	struct list link;  /* in `used` */
	struct kept *next; /* of the same mailbox */
	struct kept **first;
	struct str question;
	struct imap_answer answer;
	size_t bytes;
};

static struct list used = { &used, &used }; /* latest last */
static size_t bytes;

static void drop(struct kept *k)
{
	struct kept **at = k->first;

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	list_remove(&k->link);
	bytes -= k->bytes;
	free(k);
}

static void drop_all(void *first)
{
	struct kept **of = first;

	while (*of)
		drop(*of);
	free(of);
}

static struct kept **kept_of(struct imap_session *s)
{
	struct store_note *note = store_view_note(s->view);

	if (!note->p) {
		note->p = calloc(1, sizeof(struct kept *));
		if (!note->p)
			check_no_memory();
		note->free = drop_all;
	}
	return note->p;
}

static struct kept *find(struct kept **first, struct str question)
{
	for (struct kept *k = *first; k; k = k->next)
		if (str_eq(k->question, question))
			return k;
	return NULL;
}

bool imap_answer_find(struct imap_session *s, struct str question, struct imap_answer *out)
{
	struct kept *k = find(kept_of(s), question);

	if (!k)
		return false;
	list_remove(&k->link);
	list_append(&used, &k->link);
	*out = k->answer;
	return true;
}

static char *put(char *at, const void *p, size_t n)
{
	if (n)
		memcpy(at, p, n);
	return at + n;
}

static struct kept *copy(struct str question, const struct imap_answer *a)
{
	size_t array = a->n * sizeof(uint32_t);
	size_t size = sizeof(struct kept) + 2 * array + question.n + a->text.n;
	struct kept *k = malloc(size);
	if (!k)
		check_no_memory();
	*k = (struct kept){ .bytes = size, .answer.n = a->n };

	char *p = (char *)(k + 1);
	k->answer.uids = (const uint32_t *)(void *)p;
	p = put(p, a->uids, array);
	k->answer.numbers = (const uint32_t *)(void *)p;
	p = put(p, a->numbers, array);
	k->question = str_of(p, question.n);
	p = put(p, question.p, question.n);
	k->answer.text = str_of(p, a->text.n);
	put(p, a->text.p, a->text.n);
	return k;
}

void imap_answer_keep(struct imap_session *s, struct str question, const struct imap_answer *answer)
{
	struct kept **first = kept_of(s);
	struct kept *before = find(first, question);

	if (before)
		drop(before);
	if (answer->n < MESSAGES_MIN)
		return;
	struct kept *k = copy(question, answer);
	k->first = first;
	k->next = *first;
	*first = k;
	list_append(&used, &k->link);
	bytes += k->bytes;
	while (bytes > BYTES_MAX)
		drop(LIST_ITEM(used.next, struct kept, link));
}

const uint32_t *imap_found_uids(struct imap_session *s, const struct imap_found *found)
{
	uint32_t *uids = ARENA_NEW_ARRAY(&s->arena, uint32_t, found->n);

	for (size_t i = 0; i < found->n; i++)
		uids[i] = store_view_uid(s->view, found->v[i]);
	return uids;
}
