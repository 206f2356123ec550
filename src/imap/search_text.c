#include "imap/search_text.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mime/fold.h"
#include "imap/message.h"
#include "mime/encoded_word.h"
#include "mime/header.h"
#include "mime/text.h"

/* Is the text in one field's value? */
static bool in_value(struct str value, struct str text, struct arena *a)
{
	struct buf plain, folded;

	buf_init(&plain, a, SIZE_MAX / 2);
	buf_init(&folded, a, SIZE_MAX / 2);
	mime_encoded_word_decode(mime_field_unfold(value, a), &plain);
	mime_fold_put(&folded, buf_str(&plain));
	return str_find(buf_str(&folded), text) >= 0;
}

int imap_search_header_text(struct str header, struct str field, struct str text)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_begin(&it, header, MIME_HEADER_NO_LIMITS);
	while (mime_header_next_named(&it, field, &f) == 1)
		if (text.n == 0 || in_value(f.value, text, &a))
			return 1;
	return 0;
}

int imap_search_header(struct imap_message *m, struct str field, struct str text)
{
	struct str header;

	int r = imap_message_header(m, &header);
	return r < 0 ? r : imap_search_header_text(header, field, text);
}

/* A needle in texts that come in pieces. */
struct haystack {
	struct str needle;
	struct buf seen; /* from where an occurrence may still begin */
	bool found;
};

static bool haystack_put(void *ctx, enum mime_text_place place, struct str folded, bool end)
{
	struct haystack *h = ctx;

	(void)place;
	buf_put_str(&h->seen, folded);
	h->found = str_find(buf_str(&h->seen), h->needle) >= 0;
	if (end)
		buf_clear(&h->seen);
	else if (h->seen.n >= h->needle.n)
		buf_consume(&h->seen, h->seen.n - (h->needle.n - 1));
	return !h->found;
}

int imap_search_body(struct imap_message *m, struct str text, bool headers)
{
	struct haystack h = { .needle = text };
	struct str content;

	int r = imap_message_structure(m);
	if (r == 0)
		r = imap_message_content(m, &content);
	if (r < 0)
		return r;
	if (text.n == 0)
		return 1;
	buf_init(&h.seen, NULL, SIZE_MAX / 2);
	(void)mime_text_message(content, &m->structure, headers, haystack_put, &h);
	buf_done(&h.seen);
	return h.found;
}
