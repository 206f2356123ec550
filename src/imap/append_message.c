#include "imap/append_message.h"

#include <errno.h>

#include "imap/append_data.h"
#include "imap/box.h"
#include "imap/flags.h"
#include "imap/lexer_date.h"
#include "imap/quota.h"
#include "imap/session_state.h"
#include "imap/uids_write.h"
#include "mime/date.h"
#include "store/fts.h"

#define PIECE_MAX ((size_t)16384)

bool imap_append_fits(struct imap_append_data *d, uint64_t size)
{
	uint64_t max = d->s->params->limits.append;

	if (max && (size > max || d->bytes > max - size))
		imap_no(d->s, "[TOOBIG] The message is larger than %llu bytes.",
			(unsigned long long)max);
	else if (size > d->s->append_room)
		imap_quota_refuse(d->s);
	else
		return true;
	return false;
}

void imap_append_count(struct imap_append_data *d, uint64_t size)
{
	d->bytes += size;
	d->s->append_room -= size;
}

/* Refuse a message before its bytes: they are skipped, if they come without being asked for. */
static int refuse(struct imap_session *s)
{
	s->lexer.pos = 0;
	return IMAP_APPEND_REFUSED;
}

/* Read the literal and give it to the store. *stored gets the store's first error, its code is 0
 * without one; the literal is read to its end all the same. */
static int may_suspend take_bytes(struct imap_append_data *d, uint64_t size, struct err *stored)
{
	struct stream *stream = d->s->stream;

	imap_append_count(d, size);
	while (size > 0) {
		struct str piece = stream_peek(stream);
		if (piece.n == 0) {
			ssize_t r = stream_fill(stream, PIECE_MAX);
			if (r <= 0)
				return r < 0 ? (int)r : -ENODATA;
			continue;
		}
		piece = str_sub(piece, 0, size);
		if (stored->code == 0)
			stored->code = store_append_write(d->ap, piece, stored);
		stream_consume(stream, piece.n);
		size -= piece.n;
	}
	return 0;
}

int imap_append_literal(struct imap_append_data *d, const struct imap_literal *lit)
{
	struct imap_lexer *lx = &d->s->lexer;
	struct err err = { 0 };
	int r;

	if (!imap_append_fits(d, lit->size))
		return refuse(d->s);
	if (lit->sync && (r = lx->feed->ask(lx->feed)) < 0)
		return r;
	if ((r = take_bytes(d, lit->size, &err)) < 0 || (r = imap_lexer_resume(lx)) < 0)
		return r;
	if (err.code < 0) {
		imap_no_store(d->s, err.code, &err);
		return IMAP_APPEND_REFUSED;
	}
	return IMAP_APPEND_TAKEN;
}

static int may_suspend begin_message(struct imap_append_data *d, struct store_append_meta *meta)
{
	struct err err;

	int r = store_append_message(d->ap, meta, &err);
	if (r < 0) {
		imap_no_store(d->s, r, &err);
		return refuse(d->s);
	}
	return IMAP_APPEND_TAKEN;
}

static int may_suspend plain_message(struct imap_append_data *d, struct store_append_meta *meta)
{
	struct imap_literal lit;

	int r = imap_lexer_literal8(&d->s->lexer, &lit);
	if (r < 0)
		return r;
	if (lit.size == 0) {
		imap_no(d->s, "[CANNOT] A message has at least one byte.");
		return refuse(d->s);
	}
	/* Before the store is troubled: a client is told early what cannot be. */
	if (!imap_append_fits(d, lit.size))
		return refuse(d->s);
	meta->lines = lit.binary ? STORE_LINES_BINARY : STORE_LINES_TEXT;
	r = begin_message(d, meta);
	return r == IMAP_APPEND_TAKEN ? imap_append_literal(d, &lit) : r;
}

/* RFC 6855 4: UTF8 (~{n} */
static int may_suspend utf8_message(struct imap_append_data *d, struct store_append_meta *meta)
{
	int r;

	if ((r = imap_lexer_space(&d->s->lexer)) < 0 ||
	    (r = imap_lexer_expect(&d->s->lexer, '(')) < 0)
		return r;
	r = plain_message(d, meta);
	if (r != IMAP_APPEND_TAKEN)
		return r;
	r = imap_lexer_expect(&d->s->lexer, ')');
	return r < 0 ? r : IMAP_APPEND_TAKEN;
}

static int may_suspend catenated_message(struct imap_append_data *d, struct store_append_meta *meta)
{
	int r = imap_lexer_space(&d->s->lexer);
	if (r < 0)
		return r;
	r = begin_message(d, meta);
	if (r == IMAP_APPEND_TAKEN)
		r = imap_append_catenate(d);
	if (r == IMAP_APPEND_TAKEN && d->bytes == 0) {
		imap_no(d->s, "[CANNOT] A message has at least one byte.");
		return IMAP_APPEND_REFUSED;
	}
	return r;
}

/* RFC 4314 4: flags that the user has no right to set are not. */
static void keep_allowed(struct imap_session *s, struct store_mark *mark)
{
	mark->flags &= imap_flags_allowed(s->append_rights);
	if (!(s->append_rights & STORE_RIGHT_WRITE))
		mark->nkeywords = 0;
}

int imap_append_begin(struct imap_session *s, struct str name, struct store_append **out)
{
	struct imap_box box;
	struct err err;

	if (imap_box_find(s, name, STORE_RIGHT_INSERT, &box))
		return 1;
	int r = store_append_begin(box.store, box.name, out, &err);
	if (r == -ENOENT)
		imap_no(s, "[TRYCREATE] No such mailbox.");
	else if (r < 0)
		imap_no_store(s, r, &err);
	if (r < 0)
		return 1;
	s->append_rights = box.rights;
	s->append_room = imap_quota_room(s, &box);
	return 0;
}

int imap_append_message(struct imap_session *s, struct store_append *ap)
{
	struct store_append_meta meta = { .date = INT64_MIN, .lines = STORE_LINES_TEXT };
	struct imap_append_data data = { .s = s, .ap = ap };
	struct imap_lexer *lx = &s->lexer;
	struct mime_date date;
	int r = 0;

	if (imap_lexer_look(lx) == '(' &&
	    ((r = imap_flags_parse_list(lx, &meta.mark)) < 0 || (r = imap_lexer_space(lx)) < 0))
		return r;
	keep_allowed(s, &meta.mark);
	if (imap_lexer_look(lx) == '"') {
		if ((r = imap_lexer_date_time(lx, &date)) < 0 || (r = imap_lexer_space(lx)) < 0)
			return r;
		meta.date = date.unix_s;
	}
	if (imap_lexer_accept_word(lx, "CATENATE"))
		return catenated_message(&data, &meta);
	if (imap_lexer_accept_word(lx, "UTF8"))
		return utf8_message(&data, &meta);
	return plain_message(&data, &meta);
}

int imap_append_finish(struct imap_session *s, struct store_append *ap, struct str *code)
{
	struct store_commit *commit = store_commit_new();
	struct store_append_args args = { .commit = commit, .a = &s->arena };
	struct store_appended done;
	struct err err;
	struct buf b;

	int r = store_append_finish(ap, &args, &done, &err);
	if (r < 0)
		store_commit_free(commit);
	else
		r = imap_commit(commit, &err);
	if (r < 0) {
		imap_no_store(s, r, &err);
		return 1;
	}
	fts_notice(s->params->fts, s->params->mail_path, FTS_ADDED);
	buf_init(&b, &s->arena, SIZE_MAX / 2);
	buf_printf(&b, "APPENDUID %u ", done.uidvalidity);
	imap_uids_write(&b, &done.uids);
	*code = buf_str(&b);
	return 0;
}
