#include "mime/text.h"

#include "base/arena.h"
#include "mime/charset.h"
#include "mime/encoded_word.h"
#include "mime/fold.h"
#include "mime/header.h"
#include "mime/html.h"
#include "mime/structure.h"
#include "mime/transfer.h"

#define PIECE_BYTES ((size_t)32768)

static const struct str signatures[] = {
	STR_INIT("DKIM-Signature"), STR_INIT("X-Google-DKIM-Signature"),
	STR_INIT("ARC-Seal"),	    STR_INIT("ARC-Message-Signature"),
	STR_INIT("Autocrypt"),
};

static bool is_signature(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++)
		if (str_eq_nocase(name, signatures[i]))
			return true;
	return false;
}

bool mime_text_header(struct str header, enum mime_text_place place, mime_text_fn *put, void *ctx)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_begin(&it, header, MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) == 1) {
		struct buf plain, folded;
		if (!f.is_garbage && is_signature(f.name))
			continue;
		buf_init(&plain, &a, SIZE_MAX / 2);
		buf_init(&folded, &a, SIZE_MAX / 2);
		mime_encoded_word_decode(mime_field_unfold(f.whole, &a), &plain);
		mime_fold_put(&folded, buf_str(&plain));
		if (!put(ctx, place, buf_str(&folded), true))
			return false;
		arena_reset(&a);
	}
	return true;
}

/* Transfer encoding, then charset, then HTML, then case. */
struct reader {
	struct mime_decoder decoder;
	struct mime_charset charset;
	struct mime_html html;
	bool is_html;
	struct buf raw, utf8, shown, folded;
};

/* Line ends are LF, whatever they were in the message. */
static void drop_cr(struct buf *b)
{
	char *cr = b->n ? memchr(b->p, '\r', b->n) : NULL;
	size_t n = cr ? (size_t)(cr - b->p) : b->n;

	for (size_t i = n; i < b->n; i++)
		if (b->p[i] != '\r')
			b->p[n++] = b->p[i];
	b->n = n;
}

static struct str read_piece(struct reader *r, struct str piece, bool last)
{
	struct buf *plain = &r->utf8;

	buf_clear(&r->raw);
	buf_clear(&r->utf8);
	buf_clear(&r->shown);
	buf_clear(&r->folded);
	mime_decoder_put(&r->decoder, piece, &r->raw);
	if (last)
		mime_decoder_finish(&r->decoder, &r->raw);
	mime_charset_put(&r->charset, buf_str(&r->raw), &r->utf8);
	if (last)
		mime_charset_finish(&r->charset, &r->utf8);
	if (r->is_html) {
		mime_html_put(&r->html, buf_str(&r->utf8), &r->shown);
		if (last)
			mime_html_finish(&r->html, &r->shown);
		plain = &r->shown;
	}
	drop_cr(plain);
	mime_fold_put(&r->folded, buf_str(plain));
	return buf_str(&r->folded);
}

static bool read_part(const struct mime_part *part, struct str body, mime_text_fn *put, void *ctx)
{
	const struct mime_param *charset = mime_param_find(&part->type.params, STR("charset"));
	struct reader r = { .is_html = str_eq(part->type.subtype, STR("html")) };
	bool wanted = true;

	mime_decoder_init(&r.decoder, part->encoding);
	mime_charset_open(&r.charset, charset ? charset->value : STR("us-ascii"));
	mime_html_init(&r.html);
	buf_init(&r.raw, NULL, SIZE_MAX / 2);
	buf_init(&r.utf8, NULL, SIZE_MAX / 2);
	buf_init(&r.shown, NULL, SIZE_MAX / 2);
	buf_init(&r.folded, NULL, SIZE_MAX / 2);
	for (bool last = false; !last && wanted; body = str_skip(body, PIECE_BYTES)) {
		last = body.n <= PIECE_BYTES;
		struct str text = read_piece(&r, str_sub(body, 0, PIECE_BYTES), last);
		wanted = put(ctx, MIME_TEXT_BODY, text, last);
	}
	mime_charset_close(&r.charset);
	buf_done(&r.raw);
	buf_done(&r.utf8);
	buf_done(&r.shown);
	buf_done(&r.folded);
	return wanted;
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

bool mime_text_message(struct str message, const struct mime_structure *st, bool heads,
		       mime_text_fn *put, void *ctx)
{
	for (const struct mime_part *p = st->root; p; p = next_part(p)) {
		struct str header = mime_extent_of(message, p->header);
		/* The header of a message within is part of the body of the one around it. */
		bool inner = p->parent && p->parent->kind == MIME_PART_MESSAGE;
		if ((heads || inner) &&
		    !mime_text_header(header, inner ? MIME_TEXT_BODY : MIME_TEXT_HEAD, put, ctx))
			return false;
		if (p->kind == MIME_PART_LEAF && str_eq(p->type.type, STR("text")) &&
		    !read_part(p, mime_extent_of(message, p->body), put, ctx))
			return false;
	}
	return true;
}
