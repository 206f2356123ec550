#include "imap/search_text.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mime/fold.h"
#include "imap/message.h"
#include "mime/charset.h"
#include "mime/encoded_word.h"
#include "mime/header.h"
#include "mime/transfer.h"

#define PIECE_BYTES ((size_t)32768)

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

/* All of a header, name and value of each field as one line. */
static bool in_header(struct str header, struct str text)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_begin(&it, header, MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) == 1) {
		bool found = in_value(f.whole, text, &a);
		arena_reset(&a);
		if (found)
			return true;
	}
	return false;
}

/* A needle in a text that comes in pieces. */
struct haystack {
	struct str needle;
	struct buf seen; /* folded text, from where an occurrence may still begin */
	bool found;
};

static void haystack_put(struct haystack *h, struct str utf8)
{
	if (h->found)
		return;
	mime_fold_put(&h->seen, utf8);
	h->found = str_find(buf_str(&h->seen), h->needle) >= 0;
	if (h->seen.n >= h->needle.n)
		buf_consume(&h->seen, h->seen.n - (h->needle.n - 1));
}

/* One text part: transfer encoding, then charset, then case. */
static bool in_text_part(const struct mime_part *part, struct str body, struct str text)
{
	const struct mime_param *charset = mime_param_find(&part->type.params, STR("charset"));
	auto_buf struct buf raw, utf8;
	auto_charset struct mime_charset cs;
	struct haystack h = { .needle = text };
	struct mime_decoder decoder;

	buf_init(&raw, NULL, SIZE_MAX / 2);
	buf_init(&utf8, NULL, SIZE_MAX / 2);
	buf_init(&h.seen, NULL, SIZE_MAX / 2);
	mime_charset_open(&cs, charset ? charset->value : STR("us-ascii"));
	mime_decoder_init(&decoder, part->encoding);
	for (bool last = false; !last && !h.found; body = str_skip(body, PIECE_BYTES)) {
		last = body.n <= PIECE_BYTES;
		mime_decoder_put(&decoder, str_sub(body, 0, PIECE_BYTES), &raw);
		if (last)
			mime_decoder_finish(&decoder, &raw);
		mime_charset_put(&cs, buf_str(&raw), &utf8);
		if (last)
			mime_charset_finish(&cs, &utf8);
		haystack_put(&h, buf_str(&utf8));
		buf_clear(&raw);
		buf_clear(&utf8);
	}
	buf_done(&h.seen);
	return h.found;
}

/* The tree is walked without recursion: it may be deep. */
static const struct mime_part *next_part(const struct mime_part *part)
{
	if (part->children)
		return part->children;
	while (part && !part->next)
		part = part->parent;
	return part ? part->next : NULL;
}

int imap_search_body(struct imap_message *m, struct str text, bool headers)
{
	struct str content;

	int r = imap_message_structure(m);
	if (r == 0)
		r = imap_message_content(m, &content);
	if (r < 0)
		return r;
	if (text.n == 0)
		return 1;
	for (const struct mime_part *p = m->structure.root; p; p = next_part(p)) {
		/* The header of a message within is part of the body of the one around it. */
		bool inner_message = p->parent && p->parent->kind == MIME_PART_MESSAGE;
		if ((headers || inner_message) &&
		    in_header(mime_extent_of(content, p->header), text))
			return 1;
		if (p->kind == MIME_PART_LEAF && str_eq(p->type.type, STR("text")) &&
		    in_text_part(p, mime_extent_of(content, p->body), text))
			return 1;
	}
	return 0;
}
