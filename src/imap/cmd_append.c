/* APPEND (RFC 3501 6.3.11), of several messages at once (RFC 3502), with APPENDUID (RFC 4315). A
 * message goes from the stream to the store as it arrives. */
#include <errno.h>

#include "imap/flags.h"
#include "imap/lexer_date.h"
#include "imap/mailbox_name.h"
#include "imap/session_state.h"
#include "imap/uids_write.h"
#include "mime/date.h"

#define MESSAGES_MAX 1000
#define PIECE_MAX    ((size_t)16384)

/* Flags, date and the announcement of the message. */
static int may_suspend parse_message(struct imap_session *s, struct store_append_meta *meta,
				     struct imap_literal *lit)
{
	struct imap_lexer *lx = &s->lexer;
	struct mime_date date;
	int r = 0;

	*meta = (struct store_append_meta){ .date = INT64_MIN, .lines = STORE_LINES_TEXT };
	if (imap_lexer_look(lx) == '(' &&
	    ((r = imap_flags_parse_list(lx, &meta->mark)) < 0 || (r = imap_lexer_space(lx)) < 0))
		return r;
	if (imap_lexer_look(lx) == '"') {
		if ((r = imap_lexer_date_time(lx, &date)) < 0 || (r = imap_lexer_space(lx)) < 0)
			return r;
		meta->date = date.unix_s;
	}
	return imap_lexer_literal(lx, lit);
}

/* Read the literal and give it to the store. *stored gets the store's first error, its code is 0
 * without one; the literal is read to its end all the same. */
static int may_suspend take_message(struct imap_session *s, struct store_append *ap, uint64_t size,
				    struct err *stored)
{
	while (size > 0) {
		struct str piece = stream_peek(s->stream);
		if (piece.n == 0) {
			ssize_t r = stream_fill(s->stream, PIECE_MAX);
			if (r <= 0)
				return r < 0 ? (int)r : -ENODATA;
			continue;
		}
		piece = str_sub(piece, 0, size);
		if (stored->code == 0)
			stored->code = store_append_write(ap, piece, stored);
		stream_consume(s->stream, piece.n);
		size -= piece.n;
	}
	return 0;
}

enum append_step {
	APPEND_REFUSED, /* s->reply says why */
	APPEND_MORE,
	APPEND_COMPLETE,
};

/* Refuse a message before its bytes: they are skipped, if they come without being asked for. */
static int refuse(struct imap_session *s, size_t announced)
{
	s->lexer.pos = announced;
	return APPEND_REFUSED;
}

/* One message, from its flags to the line behind it. Returns enum append_step. */
static int may_suspend append_one(struct imap_session *s, struct store_append *ap)
{
	uint64_t max = s->params->limits.append;
	size_t announced = s->lexer.pos;
	struct store_append_meta meta;
	struct imap_literal lit;
	struct err err = { 0 };

	int r = parse_message(s, &meta, &lit);
	if (r < 0)
		return r;
	if (lit.size == 0) {
		imap_no(s, "[CANNOT] A message has at least one byte.");
		return refuse(s, announced);
	}
	if (max && lit.size > max) {
		imap_no(s, "[TOOBIG] The message is larger than %llu bytes.",
			(unsigned long long)max);
		return refuse(s, announced);
	}
	r = store_append_message(ap, &meta, &err);
	if (r < 0) {
		imap_no_store(s, r, &err);
		return refuse(s, announced);
	}

	if (lit.sync && (r = s->lexer.feed->ask(s->lexer.feed)) < 0)
		return r;
	err.code = 0;
	if ((r = take_message(s, ap, lit.size, &err)) < 0 || (r = imap_lexer_resume(&s->lexer)) < 0)
		return r;
	if (err.code < 0) {
		imap_no_store(s, err.code, &err);
		return APPEND_REFUSED;
	}
	bool more = imap_lexer_accept(&s->lexer, ' ') && imap_lexer_look(&s->lexer) >= 0;
	return more ? APPEND_MORE : APPEND_COMPLETE;
}

static int may_suspend append_all(struct imap_session *s, struct store_append *ap)
{
	int step = APPEND_MORE;

	for (int n = 0; step == APPEND_MORE; n++) {
		if (n == MESSAGES_MAX)
			return imap_lexer_bad(&s->lexer, "Too many messages");
		step = append_one(s, ap);
	}
	if (step != APPEND_COMPLETE)
		return step;
	int r = imap_lexer_end(&s->lexer);
	return r < 0 ? r : step;
}

/* Make the messages visible and durable, then say so. */
static int may_suspend finish(struct imap_session *s, struct store_append *ap)
{
	struct store_commit *commit = store_commit_new();
	struct store_append_args args = { .commit = commit, .a = &s->arena };
	struct store_appended done;
	struct err err;
	struct buf uids;

	int r = store_append_finish(ap, &args, &done, &err);
	if (r < 0) {
		store_commit_free(commit);
		return imap_no_store(s, r, &err);
	}
	r = imap_commit(commit, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	buf_init(&uids, &s->arena, SIZE_MAX / 2);
	imap_uids_write(&uids, &done.uids);
	return imap_ok(s, "[APPENDUID %u %" STR_FMT "] Append completed.", done.uidvalidity,
		       STR_ARG(buf_str(&uids)));
}

int imap_cmd_append(struct imap_session *s)
{
	struct store_append *ap;
	struct str name;
	struct err err;
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_mailbox(&s->lexer, &name)) < 0 || (r = imap_lexer_space(&s->lexer)) < 0)
		return r;
	r = store_append_begin(s->store, name, &ap, &err);
	if (r == -ENOENT)
		return imap_no(s, "[TRYCREATE] No such mailbox.");
	if (r < 0)
		return imap_no_store(s, r, &err);

	r = append_all(s, ap);
	if (r == APPEND_COMPLETE)
		return finish(s, ap);
	store_append_abort(ap);
	return r < 0 ? r : 0;
}
