#include "smtp/head.h"

#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "mime/header.h"
#include "mime/lex.h"

#define MESSAGE_ID_MAX 256

enum action {
	KEEP,
	DROP,
	RESPELL, /* MIME-Version: 1.0 */
};

struct rule {
	struct str name;
	bool submitted_only;
	enum action action;
	bool (*applies)(struct str value); /* NULL: always */
};

static bool is_hop_of_ours(struct str value)
{
	return str_find_nocase(value, STR("with ESMTPSA")) >= 0 ||
	       str_find_nocase(value, STR("amavisd-new")) >= 0 ||
	       (str_starts_nocase(str_trim(value), STR("from")) &&
		str_find(value, STR("127.0.0.1")) >= 0);
}

static bool is_version_one(struct str value)
{
	return str_starts(str_trim(value), STR("1.0"));
}

static const struct rule rules[] = {
	/* Blind copies stay blind, and the return path is written at delivery (RFC 5321 4.4). */
	{ STR_INIT("Bcc"), false, DROP, NULL },
	{ STR_INIT("Resent-Bcc"), false, DROP, NULL },
	{ STR_INIT("Return-Path"), false, DROP, NULL },
	{ STR_INIT("Content-Length"), false, DROP, NULL },
	/* A user's address, program and network are nobody's business. */
	{ STR_INIT("Received"), true, DROP, is_hop_of_ours },
	{ STR_INIT("X-Originating-IP"), true, DROP, NULL },
	{ STR_INIT("X-Mailer"), true, DROP, NULL },
	{ STR_INIT("User-Agent"), true, DROP, NULL },
	{ STR_INIT("X-Enigmail"), true, DROP, NULL },
	{ STR_INIT("X-Enigmail-Version"), true, DROP, NULL },
	{ STR_INIT("X-MS-Reactions"), true, DROP, NULL },
	{ STR_INIT("Mime-Version"), true, RESPELL, is_version_one },
};

/* RFC 8601 5: nobody but us may say what we found out. The name may have a version behind it. */
static bool claims_to_be(struct str value, struct str server)
{
	struct str name = mime_lex_skip_cfws(value);

	if (str_starts(name, STR("\"")))
		name = mime_lex_inside(str_sub(name, 0, mime_lex_enclosed(name, 0)));
	else
		name = str_sub(name, 0, mime_lex_find(name, "; \t\r\n("));
	return str_eq_nocase(name, server);
}

static enum action action_for(const struct mime_field *f, const struct smtp_head_cleaning *c)
{
	if (f->is_garbage)
		return KEEP;
	if (!c->part && str_eq_nocase(f->name, STR("Authentication-Results")))
		return claims_to_be(f->value, c->server) ? DROP : KEEP;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const struct rule *r = &rules[i];
		if (!str_eq_nocase(f->name, r->name))
			continue;
		bool applies = (r->submitted_only ? c->submitted : !c->part) &&
			       (!r->applies || r->applies(f->value));
		return applies ? r->action : KEEP;
	}
	return KEEP;
}

void smtp_head_init(struct smtp_head *h, size_t max)
{
	*h = (struct smtp_head){ 0 };
	buf_init(&h->held, NULL, max);
}

void smtp_head_done(struct smtp_head *h)
{
	buf_done(&h->held);
	h->text = STR_NONE;
}

/* Bytes of the header with its empty line, looking from `from` on; -1 when its end is not there. */
static ssize_t header_end(struct str s, size_t from)
{
	if (str_starts(s, STR("\r\n")))
		return 2;
	from = from > 3 ? from - 3 : 0;
	ssize_t at = str_find(str_skip(s, from), STR("\r\n\r\n"));
	return at < 0 ? -1 : (ssize_t)from + at + 4;
}

int smtp_head_feed(struct smtp_head *h, struct str piece, struct str *rest)
{
	size_t before = h->held.n;
	struct str all = piece;
	check(!h->complete);

	/* Of the piece that holds the end, the body behind it counts for nothing. */
	struct str part = str_sub(piece, 0, h->held.max - before);
	if (before) {
		buf_put_str(&h->held, part);
		if (buf_failed(&h->held))
			return -E2BIG;
		all = buf_str(&h->held);
	}
	ssize_t n = header_end(all, before);
	if (n < 0 && !before) {
		buf_put_str(&h->held, piece);
		return buf_failed(&h->held) ? -E2BIG : 0;
	}
	if (n < 0)
		return part.n < piece.n ? -E2BIG : 0;
	if ((size_t)n > h->held.max)
		return -E2BIG;
	h->text = str_sub(all, 0, (size_t)n);
	h->complete = true;
	*rest = str_skip(piece, (size_t)n - before);
	return 1;
}

void smtp_head_finish(struct smtp_head *h)
{
	if (!h->complete)
		h->text = buf_str(&h->held);
	h->complete = true;
}

static void note_field(struct smtp_head_facts *facts, const struct mime_field *f, struct arena *a)
{
	if (str_eq_nocase(f->name, STR("Received"))) {
		facts->received++;
	} else if (str_eq_nocase(f->name, STR("DKIM-Signature"))) {
		facts->has_signature = true;
	} else if (str_eq_nocase(f->name, STR("Date"))) {
		facts->has_date = true;
	} else if (str_eq_nocase(f->name, STR("From"))) {
		if (facts->from_count++ == 0)
			facts->from = arena_str(a, f->value);
	} else if (str_eq_nocase(f->name, STR("TLS-Required"))) {
		facts->tls_optional |= str_eq_nocase(str_trim(f->value), STR("No"));
	} else if (str_eq_nocase(f->name, STR("Message-ID")) && !facts->message_id.n) {
		struct str id = mime_field_unfold(f->value, a);
		facts->message_id = arena_str(a, str_sub(id, 0, MESSAGE_ID_MAX));
	}
}

int smtp_head_examine(struct str text, const struct smtp_head_limits *limits, struct arena *a,
		      struct smtp_head_facts *out)
{
	struct mime_header_limits max = { limits->fields, SIZE_MAX, limits->bytes };
	struct smtp_head_facts facts = { 0 };
	struct mime_header_iter it;
	struct mime_field f;
	int r;

	mime_header_begin(&it, text, max);
	for (bool first = true; (r = mime_header_next(&it, &f)) > 0; first = false) {
		if (f.is_garbage)
			facts.headless |= first;
		else
			note_field(&facts, &f, a);
	}
	if (r == 0)
		*out = facts;
	return r;
}

bool smtp_head_is_clean(struct str text, const struct smtp_head_cleaning *c)
{
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_begin(&it, text, MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) > 0)
		if (action_for(&f, c) != KEEP)
			return false;
	return true;
}

void smtp_head_clean(struct str text, const struct smtp_head_cleaning *c, struct buf *out)
{
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_begin(&it, text, MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) > 0) {
		enum action action = action_for(&f, c);
		if (action == KEEP)
			buf_put_str(out, f.whole);
		else if (action == RESPELL)
			buf_puts(out, "MIME-Version: 1.0\r\n");
	}
	if (it.ended)
		buf_puts(out, "\r\n");
}

/* Nothing can be taken out of the middle of a file, so that they get a name that nobody knows. */
int smtp_head_retire_signatures(int fd, size_t max, struct err *err)
{
	static const struct str name = STR_INIT("DKIM-Signature"),
				other = STR_INIT("X-Old-DKIM-Sig");
	auto_buf struct buf b;
	struct mime_header_iter it;
	struct mime_field f;

	buf_init(&b, NULL, max);
	char *p = buf_space(&b, max);
	ssize_t n = p ? fd_pread_all(fd, p, max, 0) : -ENOMEM;
	if (n < 0)
		return err_set(err, (int)n, "read a header");
	mime_header_begin(&it, str_of(p, (size_t)n), MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) > 0)
		if (!f.is_garbage && str_eq_nocase(f.name, name) &&
		    pwrite(fd, other.p, other.n, f.name.p - p) != (ssize_t)other.n)
			return err_sys(err, "write a header");
	return 0;
}
