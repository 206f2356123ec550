#include "imap/binary.h"

#include <errno.h>

#include "imap/section.h"
#include "imap/session_state.h"

#define UNIT_BYTES 4096
#define PAD	   "                                "

/* RFC 3516 4.2: parts that are made of parts have no encoding of their own. */
static int find_encoding(struct imap_message *m, const struct imap_section *section,
			 enum mime_encoding *out)
{
	if (m->parts.n) {
		const struct mime_facts_part *known =
			mime_facts_part_find(&m->parts, section->path, section->depth);
		if (known && known->kind == MIME_PART_LEAF)
			*out = known->encoding;
		return 0;
	}
	int r = imap_message_structure(m);
	if (r < 0)
		return r;
	const struct mime_part *part =
		mime_part_find(m->structure.root, section->path, section->depth);
	if (part && part->kind == MIME_PART_LEAF)
		*out = part->encoding;
	return 0;
}

int imap_binary_locate(struct imap_message *m, const struct imap_section *section,
		       struct imap_binary *out)
{
	*out = (struct imap_binary){ .encoding = MIME_ENCODING_BINARY };
	int r = section->depth ? find_encoding(m, section, &out->encoding) : 0;
	if (r < 0)
		return r;
	if (out->encoding == MIME_ENCODING_UNKNOWN)
		return -ENOTSUP;
	return imap_message_locate(m, section, &out->piece);
}

/* Decoded bytes on their way: from the message, through the decoder, to be counted or sent. */
struct flow {
	struct imap_session *s;
	struct mime_decoder decoder;
	struct buf decoded;
	uint64_t pos; /* of the first byte in `decoded` */
	uint64_t from, left;
	bool send;
	uint64_t counted;
	bool has_nul;
};

static void may_suspend take_decoded(struct flow *f)
{
	struct str bytes = buf_str(&f->decoded);
	uint64_t skip = f->from > f->pos ? f->from - f->pos : 0;

	f->pos += bytes.n;
	bytes = str_skip(bytes, skip < bytes.n ? (size_t)skip : bytes.n);
	if (bytes.n > f->left)
		bytes.n = (size_t)f->left;
	f->left -= bytes.n;
	f->counted += bytes.n;
	f->has_nul = f->has_nul || str_find_byte(bytes, '\0') >= 0;
	if (f->send)
		stream_write(f->s->stream, bytes);
	buf_clear(&f->decoded);
}

static int may_suspend decode_piece(void *ctx, char *bytes, size_t n)
{
	struct flow *f = ctx;

	mime_decoder_put(&f->decoder, str_of(bytes, n), &f->decoded);
	take_decoded(f);
	int r = stream_error(f->s->stream);
	return r < 0 ? r : imap_work(f->s, n / UNIT_BYTES + 1);
}

static int may_suspend run(struct flow *f, struct imap_message *m, const struct imap_binary *b)
{
	buf_init(&f->decoded, NULL, SIZE_MAX / 2);
	mime_decoder_init(&f->decoder, b->encoding);
	int r = imap_message_give(m, &b->piece, decode_piece, f);
	if (r == 0) {
		mime_decoder_finish(&f->decoder, &f->decoded);
		take_decoded(f);
	}
	buf_done(&f->decoded);
	return r;
}

int imap_binary_measure(struct imap_session *s, struct imap_message *m, uint64_t from,
			uint64_t length, struct imap_binary *b)
{
	struct flow f = { .s = s, .from = from, .left = length };

	int r = run(&f, m, b);
	b->from = from;
	b->size = f.counted;
	b->has_nul = f.has_nul;
	return r;
}

int imap_binary_send(struct imap_session *s, struct imap_message *m, const struct imap_binary *b)
{
	struct flow f = { .s = s, .from = b->from, .left = b->size, .send = true };

	int r = run(&f, m, b);
	/* The peer was promised so many bytes, even if the file has changed meanwhile. */
	while (f.left && stream_error(s->stream) == 0) {
		struct str pad = str_sub(STR(PAD), 0, f.left);
		stream_write(s->stream, pad);
		f.left -= pad.n;
		r = r < 0 ? r : -EBADMSG;
	}
	return r;
}
