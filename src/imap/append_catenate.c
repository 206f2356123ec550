/* CATENATE (RFC 4469): a message put together from literals and from parts of others. */
#include <errno.h>

#include "imap/append_data.h"
#include "imap/append_message.h"
#include "imap/box.h"
#include "imap/message.h"
#include "imap/section.h"
#include "imap/session_state.h"
#include "imap/text_lexer.h"
#include "imap/url.h"

#define PARTS_MAX 1000

static int may_suspend parse_section(struct imap_session *s, struct str text,
				     struct imap_section *out)
{
	struct imap_text_lexer t;

	text = arena_printf(&s->arena, "%" STR_FMT "]", STR_ARG(text));
	imap_text_lexer_init(&t, text, &s->arena);
	int r = imap_section_parse(&t.lx, out);
	return r == 0 && imap_lexer_look(&t.lx) < 0 ? 0 : -EBADMSG;
}

struct store_sink {
	struct imap_append_data *d;
	struct err err;
};

static int give_to_store(void *ctx, char *bytes, size_t n)
{
	struct store_sink *sink = ctx;
	return store_append_write(sink->d->ap, str_of(bytes, n), &sink->err);
}

/* enum imap_append_step, or -ENOENT: the URL is of nothing that there is. */
static int may_suspend append_section(struct imap_append_data *d, const struct imap_url *url,
				      struct imap_message *m)
{
	struct store_sink sink = { .d = d };
	struct imap_section section;
	struct imap_piece piece;

	if (parse_section(d->s, url->section, &section) < 0 ||
	    imap_message_locate(m, &section, &piece) < 0 || piece.kind == IMAP_PIECE_NIL)
		return -ENOENT;
	if (url->is_partial)
		imap_piece_cut(&piece, url->offset, url->length ? url->length : UINT64_MAX);
	if (!imap_append_fits(d, imap_piece_size(&piece)))
		return IMAP_APPEND_REFUSED;
	imap_append_count(d, imap_piece_size(&piece));
	int r = imap_message_give(m, &piece, give_to_store, &sink);
	if (r < 0) {
		imap_no_store(d->s, r, &sink.err);
		return IMAP_APPEND_REFUSED;
	}
	return IMAP_APPEND_TAKEN;
}

static int may_suspend append_from(struct imap_append_data *d, const struct imap_url *url,
				   struct store_view *view)
{
	struct store_status st;
	struct imap_message m;

	store_view_status(view, &st);
	uint32_t seq = store_view_seq(view, url->uid);
	if (seq == 0 || (url->uidvalidity && url->uidvalidity != st.uidvalidity))
		return -ENOENT;
	imap_message_init(&m, view, seq, &d->s->arena);
	int r = append_section(d, url, &m);
	imap_message_done(&m);
	return r;
}

static bool may_suspend find_box(struct imap_session *s, const struct imap_url *url,
				 struct imap_box *out)
{
	if (url->mailbox.p)
		return imap_box_find(s, url->mailbox, STORE_RIGHT_READ, out) == 0;
	*out = (struct imap_box){ .store = s->view_store,
				  .name = arena_str(&s->arena, store_view_name(s->view)) };
	return true;
}

static int may_suspend append_url(struct imap_append_data *d, struct str text)
{
	struct imap_session *s = d->s;
	struct store_view *view;
	struct imap_url url;
	struct imap_box box;
	struct err err;

	if (imap_url_parse(text, &s->arena, &url) < 0 || (!url.mailbox.p && !s->view))
		return -ENOENT;
	if (!find_box(s, &url, &box))
		return -ENOENT;
	if (store_view_open(box.store, box.name, STORE_VIEW_READ_ONLY | STORE_VIEW_KEEP_RECENT,
			    &view, &err) < 0)
		return -ENOENT;
	int r = append_from(d, &url, view);
	store_view_close(view);
	return r;
}

static int may_suspend url_part(struct imap_append_data *d)
{
	struct str text;
	int r;

	if ((r = imap_lexer_space(&d->s->lexer)) < 0 ||
	    (r = imap_lexer_astring(&d->s->lexer, &text)) < 0)
		return r;
	r = append_url(d, text);
	if (r != -ENOENT)
		return r;
	/* RFC 4469 5: the URL is repeated, as far as a response code can hold it. */
	bool plain = str_is_printable(text) && str_find_byte(text, ']') < 0;
	imap_no(d->s, plain ? "[BADURL %" STR_FMT "] No such part." : "No part has such a URL.",
		STR_ARG(text));
	d->s->lexer.pos = 0;
	return IMAP_APPEND_REFUSED;
}

static int may_suspend text_part(struct imap_append_data *d)
{
	struct imap_literal lit;
	int r;

	if ((r = imap_lexer_space(&d->s->lexer)) < 0 ||
	    (r = imap_lexer_literal(&d->s->lexer, &lit)) < 0)
		return r;
	return imap_append_literal(d, &lit);
}

int imap_append_catenate(struct imap_append_data *d)
{
	struct imap_lexer *lx = &d->s->lexer;
	int r = imap_lexer_expect(lx, '(');

	for (int n = 0; r >= 0; n++) {
		if (n == PARTS_MAX)
			return imap_lexer_bad(lx, "Too many parts");
		if (imap_lexer_accept_word(lx, "URL"))
			r = url_part(d);
		else if (imap_lexer_accept_word(lx, "TEXT"))
			r = text_part(d);
		else
			r = imap_lexer_bad(lx, "Expected URL or TEXT");
		if (r != IMAP_APPEND_TAKEN)
			return r;
		if (!imap_lexer_accept(lx, ' '))
			break;
	}
	if (r < 0)
		return r;
	r = imap_lexer_expect(lx, ')');
	return r < 0 ? r : IMAP_APPEND_TAKEN;
}
