#include "imap/message.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/stream.h"
#include "imap/section.h"
#include "mime/header.h"

#define HEADER_FIRST_READ ((size_t)8192)
#define SEND_BLOCK	  ((size_t)8192)

void imap_message_init(struct imap_message *m, struct store_view *view, uint32_t seq,
		       struct arena *a)
{
	*m = (struct imap_message){ .view = view, .seq = seq, .a = a };
}

void imap_message_release(struct imap_message *m)
{
	arena_done(&m->bytes);
	m->content = STR_NONE;
	m->has_header = m->has_all = false;
}

void imap_message_done(struct imap_message *m)
{
	imap_message_release(m);
	if (m->open)
		close(m->file.fd);
	m->open = false;
}

int imap_message_open(struct imap_message *m)
{
	struct err err;

	if (m->open)
		return 0;
	int r = store_view_open_message(m->view, m->seq, &m->file, &err);
	if (r < 0)
		return r;
	m->open = true;
	return 0;
}

/* Up to n bytes of the open file. */
static int read_at(const struct imap_message *m, uint64_t offset, size_t n, struct arena *a,
		   struct str *out)
{
	if (offset > m->file.size)
		offset = m->file.size;
	if (n > m->file.size - offset)
		n = (size_t)(m->file.size - offset);

	char *p = arena_alloc(a, n);
	ssize_t got = fd_pread_all(m->file.fd, p, n, offset);
	if (got < 0)
		return (int)got;
	*out = str_of(p, (size_t)got);
	return 0;
}

/* The first n bytes of the file, or all that there are. */
static int load(struct imap_message *m, size_t n)
{
	int r = imap_message_open(m);
	if (r < 0)
		return r;
	imap_message_release(m);
	return read_at(m, 0, n, &m->bytes, &m->content);
}

static int load_all(struct imap_message *m)
{
	if (m->has_all)
		return 0;
	int r = load(m, IMAP_MESSAGE_EXPLORE_MAX);
	if (r < 0)
		return r;
	m->has_header = m->has_all = true;
	m->header_size = mime_header_size(m->content);
	return 0;
}

int imap_message_header(struct imap_message *m, struct str *out)
{
	size_t n = m->header_size ? m->header_size : HEADER_FIRST_READ;

	for (; !m->has_header; n *= 4) {
		int r = load(m, n);
		if (r < 0)
			return r;
		m->header_size = mime_header_size(m->content);
		/* Less than was read: its end was seen. */
		m->has_header = m->header_size < m->content.n || m->content.n < n ||
				m->content.n == m->file.size || n >= IMAP_MESSAGE_EXPLORE_MAX;
	}
	*out = str_sub(m->content, 0, m->header_size);
	return 0;
}

int imap_message_content(struct imap_message *m, struct str *out)
{
	int r = load_all(m);
	if (r < 0)
		return r;
	*out = m->content;
	return 0;
}

void imap_message_know(struct imap_message *m, const struct mime_facts *f)
{
	if (m->parts.n == 0 && mime_facts_parts(f, m->a, &m->parts) < 0)
		m->parts.n = 0;
}

int imap_message_structure(struct imap_message *m)
{
	if (m->has_structure)
		return 0;
	int r = load_all(m);
	if (r < 0)
		return r;
	mime_structure_parse(m->content, MIME_STRUCTURE_LIMITS, m->a, &m->structure);
	m->has_structure = true;
	return 0;
}

/* CRLF bytes of text as it is on disk. */
static uint64_t wire_size(const struct imap_message *m, struct str text)
{
	uint64_t size = text.n;

	if (!m->file.lf)
		return size;
	for (size_t i = 0; i < text.n; i++) {
		const char *lf = memchr(text.p + i, '\n', text.n - i);
		if (!lf)
			break;
		i = (size_t)(lf - text.p);
		size += i == 0 || text.p[i - 1] != '\r';
	}
	return size;
}

static struct imap_piece file_piece(const struct imap_message *m, struct mime_extent e)
{
	return (struct imap_piece){
		.kind = IMAP_PIECE_FILE,
		.offset = e.offset,
		.size = m->file.lf ? e.wire_size : e.size,
	};
}

static struct imap_piece field_piece(struct imap_message *m, struct str header,
				     const struct imap_section *section)
{
	struct buf b;

	buf_init(&b, m->a, SIZE_MAX / 2);
	imap_section_filter_header(&b, header, section);
	return (struct imap_piece){ .kind = IMAP_PIECE_TEXT, .text = buf_str(&b) };
}

static int locate_in_message(struct imap_message *m, const struct imap_section *section,
			     struct imap_piece *out)
{
	struct str header;

	int r = imap_message_open(m);
	if (r < 0)
		return r;
	*out = (struct imap_piece){ .kind = IMAP_PIECE_FILE, .size = m->file.wire_size };
	if (section->kind == IMAP_SECTION_ALL)
		return 0;

	r = imap_message_header(m, &header);
	if (r < 0)
		return r;
	uint64_t header_wire = wire_size(m, header);
	if (section->kind == IMAP_SECTION_HEADER) {
		out->size = header_wire;
	} else if (section->kind == IMAP_SECTION_TEXT) {
		out->offset = header.n;
		out->size = header_wire < out->size ? out->size - header_wire : 0;
	} else {
		*out = field_piece(m, header, section);
	}
	return 0;
}

static int locate_in_part(struct imap_message *m, const struct imap_section *section,
			  const struct mime_part *part, struct imap_piece *out)
{
	struct str content;

	*out = (struct imap_piece){ .kind = IMAP_PIECE_NIL };
	if (section->kind == IMAP_SECTION_ALL) {
		*out = file_piece(m, part->body);
		return 0;
	}
	if (section->kind == IMAP_SECTION_MIME) {
		*out = file_piece(m, part->header);
		return 0;
	}

	/* RFC 3501 6.4.5: the others refer to a message within. */
	if (part->kind != MIME_PART_MESSAGE || !part->children)
		return 0;
	part = part->children;
	if (section->kind == IMAP_SECTION_HEADER) {
		*out = file_piece(m, part->header);
	} else if (section->kind == IMAP_SECTION_TEXT) {
		*out = file_piece(m, part->body);
	} else {
		int r = imap_message_content(m, &content);
		if (r < 0)
			return r;
		*out = field_piece(m, mime_extent_of(content, part->header), section);
	}
	return 0;
}

/* Some fields of the header of a message within. */
static int locate_fields(struct imap_message *m, const struct imap_section *section,
			 struct mime_extent header, struct imap_piece *out)
{
	size_t n = (size_t)(header.size < IMAP_MESSAGE_EXPLORE_MAX ? header.size
								   : IMAP_MESSAGE_EXPLORE_MAX);
	auto_arena struct arena bytes = ARENA_INIT;
	struct str text;

	int r = read_at(m, header.offset, n, &bytes, &text);
	if (r == 0)
		*out = field_piece(m, text, section);
	return r;
}

/* As locate_in_part, without the message. */
static int locate_known(struct imap_message *m, const struct imap_section *section,
			struct imap_piece *out)
{
	const struct mime_facts_part *part =
		mime_facts_part_find(&m->parts, section->path, section->depth);

	*out = (struct imap_piece){ .kind = IMAP_PIECE_NIL };
	if (!part)
		return 0;
	if (section->kind == IMAP_SECTION_ALL || section->kind == IMAP_SECTION_MIME) {
		*out = file_piece(m, section->kind == IMAP_SECTION_ALL ? part->body : part->header);
		return 0;
	}
	if (part->kind != MIME_PART_MESSAGE)
		return 0;
	part++;
	if (section->kind != IMAP_SECTION_HEADER && section->kind != IMAP_SECTION_TEXT)
		return locate_fields(m, section, part->header, out);
	*out = file_piece(m, section->kind == IMAP_SECTION_HEADER ? part->header : part->body);
	return 0;
}

int imap_message_locate(struct imap_message *m, const struct imap_section *section,
			struct imap_piece *out)
{
	if (section->depth == 0)
		return locate_in_message(m, section, out);
	if (m->parts.n) {
		int r = imap_message_open(m);
		return r < 0 ? r : locate_known(m, section, out);
	}

	int r = imap_message_structure(m);
	if (r < 0)
		return r;
	/* The announced sizes and the bytes must be of one file. */
	r = imap_message_open(m);
	if (r < 0)
		return r;
	const struct mime_part *part =
		mime_part_find(m->structure.root, section->path, section->depth);
	if (!part) {
		*out = (struct imap_piece){ .kind = IMAP_PIECE_NIL };
		return 0;
	}
	return locate_in_part(m, section, part, out);
}

uint64_t imap_piece_size(const struct imap_piece *p)
{
	return p->kind == IMAP_PIECE_TEXT ? p->text.n : p->size;
}

void imap_piece_cut(struct imap_piece *p, uint64_t offset, uint64_t length)
{
	uint64_t size = imap_piece_size(p);

	if (offset > size)
		offset = size;
	if (length > size - offset)
		length = size - offset;
	p->text = p->kind == IMAP_PIECE_TEXT ? str_sub(p->text, offset, length) : STR_NONE;
	p->skip += offset;
	p->size = length;
}

/* A literal cannot hold NUL (RFC 3501 section 9: CHAR8). */
static void replace_nul(char *p, size_t n)
{
	for (char *nul = memchr(p, '\0', n); nul; nul = memchr(nul, '\0', n - (size_t)(nul - p)))
		*nul = (char)0x80;
}

static void reader_at(struct store_reader *r, const struct imap_message *m,
		      const struct imap_piece *p, struct arena *a)
{
	store_reader_init(r, &m->file, a);
	r->file_pos = p->offset;
	r->wire_size = p->skip + p->size;
	if (m->file.lf) {
		store_reader_seek(r, p->skip);
	} else {
		r->file_pos += p->skip;
		r->wire_pos = p->skip;
	}
}

int imap_message_give(struct imap_message *m, const struct imap_piece *p, imap_piece_sink *sink,
		      void *ctx)
{
	/* The text is ours: field_piece made it. */
	if (p->kind == IMAP_PIECE_TEXT)
		return sink(ctx, (char *)p->text.p, p->text.n);

	imap_message_release(m);
	auto_arena struct arena scratch = ARENA_INIT;
	struct store_reader r;
	char *block = arena_alloc(&scratch, SEND_BLOCK);

	reader_at(&r, m, p, &scratch);
	for (;;) {
		size_t n = store_reader_read(&r, block, SEND_BLOCK);
		int given = n ? sink(ctx, block, n) : 0;
		if (given < 0)
			return given;
		if (n == 0)
			break;
	}
	bool whole = p->offset == 0 && p->skip == 0 && p->size == m->file.wire_size;
	return whole || r.error == -EIO ? r.error : 0;
}

static int may_suspend send_bytes(void *ctx, char *bytes, size_t n)
{
	struct stream *to = ctx;

	replace_nul(bytes, n);
	stream_write(to, str_of(bytes, n));
	return stream_error(to);
}

int imap_message_send(struct imap_message *m, const struct imap_piece *p, struct stream *to)
{
	int r = imap_message_give(m, p, send_bytes, to);

	return stream_error(to) < 0 ? 0 : r;
}

int64_t imap_message_saved(struct store_view *view, uint32_t seq, struct arena *a)
{
	struct mime_facts facts;
	struct err err;
	int64_t saved = store_view_saved(view, seq);

	if (saved != INT64_MIN || store_view_hot_facts(view, seq, a, &facts, &err) < 0)
		return saved;
	return store_view_saved(view, seq);
}
