#include "imap/sort_values.h"

#include "imap/session_state.h"
#include "imap/sort.h"
#include "mime/facts.h"

#define NO_TEXT MIME_FACTS_KEYS

/* The text by which a key sorts, or NO_TEXT. */
static const enum mime_facts_key texts[] = {
	[IMAP_SORT_ARRIVAL] = NO_TEXT,
	[IMAP_SORT_CC] = MIME_FACTS_SORT_CC,
	[IMAP_SORT_DATE] = NO_TEXT,
	[IMAP_SORT_DISPLAYFROM] = MIME_FACTS_DISPLAY_FROM,
	[IMAP_SORT_DISPLAYTO] = MIME_FACTS_DISPLAY_TO,
	[IMAP_SORT_FROM] = MIME_FACTS_SORT_FROM,
	[IMAP_SORT_SIZE] = NO_TEXT,
	[IMAP_SORT_SUBJECT] = MIME_FACTS_BASE_SUBJECT,
	[IMAP_SORT_TO] = MIME_FACTS_SORT_TO,
};

struct imap_sort_source imap_sort_source(struct imap_session *s, const struct imap_sort *how)
{
	struct imap_sort_source t = { .s = s, .how = how };

	for (size_t i = 0; i < how->n; i++)
		t.needs_facts |=
			texts[how->rules[i].key] != NO_TEXT || how->rules[i].key == IMAP_SORT_DATE;
	return t;
}

static uint64_t ordered(int64_t v)
{
	return (uint64_t)v ^ ((uint64_t)1 << 63);
}

static struct imap_sort_value text_value(struct imap_sort_source *t, struct str text)
{
	struct imap_sort_value v = { .text = arena_str(&t->s->arena, text) };

	for (size_t i = 0; i < sizeof(v.number); i++)
		v.number = v.number << 8 | (i < text.n ? (unsigned char)text.p[i] : 0);
	return v;
}

static struct imap_sort_value value_of(struct imap_sort_source *t, enum imap_sort_key key,
				       const struct store_message *m, const struct mime_facts *f)
{
	/* RFC 5256 2.2: without a sent date that can be read INTERNALDATE counts. */
	int64_t sent = f && f->flags & MIME_FACTS_HAS_DATE ? f->sent : m->date;

	switch (key) {
	case IMAP_SORT_ARRIVAL:
		return (struct imap_sort_value){ .number = ordered(m->date) };
	case IMAP_SORT_DATE:
		return (struct imap_sort_value){ .number = ordered(sent) };
	case IMAP_SORT_SIZE:
		return (struct imap_sort_value){ .number = m->wire_size };
	default:
		return text_value(t, f ? mime_facts_key(f, texts[key]) : STR_NONE);
	}
}

void imap_sort_values(struct imap_sort_source *t, uint32_t seq, struct imap_sort_value *out,
		      struct arena *scratch)
{
	struct store_message m = { .date = INT64_MIN };
	struct mime_facts facts;
	struct err err;

	bool there = store_view_message_full(t->s->view, seq, &m, &err) == 0;
	bool known =
		t->needs_facts && store_view_hot_facts(t->s->view, seq, scratch, &facts, &err) == 0;
	t->missed |= !there || known != t->needs_facts;
	for (size_t i = 0; i < t->how->n; i++)
		out[i] = value_of(t, t->how->rules[i].key, &m, known ? &facts : NULL);
}

int imap_sort_compare(const struct imap_sort *how, const struct imap_sort_value *x,
		      const struct imap_sort_value *y)
{
	for (size_t i = 0; i < how->n; i++, x++, y++) {
		int c = (x->number > y->number) - (x->number < y->number);
		if (c == 0)
			c = str_cmp(x->text, y->text);
		if (c)
			return how->rules[i].reverse ? -c : c;
	}
	return 0;
}
