#include "courier/seven_bit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/work.h"
#include "courier/body.h"
#include "mime/header.h"
#include "mime/structure.h"
#include "mime/transfer.h"

/* RFC 5321 4.5.3.1.6 */
#define LINE_MAX_BYTES 998

/* What is written at once. */
#define PIECE ((size_t)65536)

struct writer {
	struct str message;
	int fd;
	uint64_t length;
	struct buf out;
	int result;
	struct err *err;
};

static void flush(struct writer *w)
{
	if (w->result == 0 && buf_failed(&w->out))
		w->result = err_set(w->err, -E2BIG, "the message grows too long");
	if (w->result == 0)
		w->result = fd_write_all(w->fd, buf_str(&w->out), w->err);
	w->length += w->out.n;
	buf_clear(&w->out);
}

static void put(struct writer *w, struct str text)
{
	buf_put_str(&w->out, text);
	if (w->out.n >= PIECE)
		flush(w);
}

static void put_range(struct writer *w, size_t from, size_t to)
{
	while (from < to && w->result == 0) {
		size_t n = to - from < PIECE ? to - from : PIECE;
		put(w, str_sub(w->message, from, n));
		from += n;
	}
}

struct contents {
	bool eight_bit, binary, long_line;
};

static struct contents look_at(struct str text)
{
	struct contents c = { false, false, false };
	size_t column = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char b = (unsigned char)text.p[i];
		bool cr_before = i && text.p[i - 1] == '\r';
		c.eight_bit |= b >= 0x80;
		c.binary |= b == 0 || (b == '\n' && !cr_before) || (b != '\n' && cr_before);
		column = b == '\n' ? 0 : column + 1;
		c.long_line |= column > LINE_MAX_BYTES + 1;
	}
	return c;
}

/* What a leaf is to be encoded as; MIME_ENCODING_7BIT: it stays. */
static enum mime_encoding choose(const struct writer *w, const struct mime_part *p)
{
	if (!mime_encoding_is_identity(p->encoding))
		return MIME_ENCODING_7BIT;
	struct contents c = look_at(mime_extent_of(w->message, p->body));
	if (c.binary)
		return MIME_ENCODING_BASE64;
	if (!c.eight_bit && !c.long_line)
		return MIME_ENCODING_7BIT;
	return str_eq(p->type.type, STR("text")) ? MIME_ENCODING_QUOTED_PRINTABLE
						 : MIME_ENCODING_BASE64;
}

/* The header with another encoding. What MIME needs and the message does not have is added: it was
 * 8-bit text of an unknown charset (RFC 1428 3). */
static void put_header(struct writer *w, const struct mime_part *p, const char *encoding)
{
	struct str header = mime_extent_of(w->message, p->header);
	struct mime_header_iter it;
	struct mime_field f;
	bool has_version = p->parent != NULL, has_type = p->parent != NULL;

	mime_header_begin(&it, header, MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) == 1) {
		has_version |= str_eq_nocase(f.name, STR("MIME-Version"));
		has_type |= str_eq_nocase(f.name, STR("Content-Type"));
		if (!str_eq_nocase(f.name, STR("Content-Transfer-Encoding")))
			put(w, f.whole);
	}
	if (!has_version)
		put(w, STR("MIME-Version: 1.0\r\n"));
	if (!has_type)
		put(w, STR("Content-Type: text/plain; charset=unknown-8bit\r\n"));
	buf_printf(&w->out, "Content-Transfer-Encoding: %s\r\n\r\n", encoding);
}

static void put_encoded(struct writer *w, struct str body, enum mime_encoding encoding)
{
	struct mime_encoder e;

	mime_encoder_init(&e, encoding);
	for (size_t at = 0; at < body.n && w->result == 0; at += PIECE) {
		mime_encoder_put(&e, str_sub(body, at, PIECE), &w->out);
		flush(w);
	}
	mime_encoder_finish(&e, &w->out);
}

static void put_leaf(struct writer *w, const struct mime_part *p)
{
	enum mime_encoding encoding = choose(w, p);

	if (encoding == MIME_ENCODING_7BIT) {
		put_range(w, p->header.offset, p->body.offset + p->body.size);
		return;
	}
	put_header(w, p, encoding == MIME_ENCODING_BASE64 ? "base64" : "quoted-printable");
	put_encoded(w, mime_extent_of(w->message, p->body), encoding);
}

/* The next part in the order of the message: the depth is bounded by the parser, and the parts are
 * visited without recursion. A container's header comes before its children, the text between them
 * is copied as it is. */
static const struct mime_part *next_part(const struct mime_part *p)
{
	if (p->children)
		return p->children;
	while (p && !p->next)
		p = p->parent;
	return p ? p->next : NULL;
}

static void put_message(struct writer *w, const struct mime_part *root)
{
	size_t at = 0;

	for (const struct mime_part *p = root; p && w->result == 0; p = next_part(p)) {
		put_range(w, at, p->header.offset);
		at = p->header.offset + p->header.size;
		if (!p->children) {
			put_leaf(w, p);
			at = p->body.offset + p->body.size;
		} else if (p->encoding == MIME_ENCODING_8BIT ||
			   p->encoding == MIME_ENCODING_BINARY) {
			put_header(w, p, "7bit");
		} else {
			put_range(w, p->header.offset, at);
		}
	}
	put_range(w, at, w->message.n);
	flush(w);
}

int seven_bit_write(struct str message, int *fd, uint64_t *length, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct writer w = { .message = message, .err = err };
	struct mime_structure tree;

	if (message.n > SEVEN_BIT_MAX)
		return err_set(err, -E2BIG, "the message is too long to be converted");
	mime_structure_parse(message, MIME_STRUCTURE_LIMITS, &a, &tree);
	if (tree.truncated)
		return err_set(err, -E2BIG, "the message has too many parts to be converted");
	auto_close int out = memfd_create("message", MFD_CLOEXEC);
	if (out < 0)
		return err_sys(err, "memory for a converted message");
	w.fd = out;
	buf_init(&w.out, NULL, 8 * PIECE);
	put_message(&w, tree.root);
	buf_done(&w.out);
	if (w.result < 0)
		return w.result;
	*fd = take_fd(&out);
	*length = w.length;
	return 0;
}

struct make_job {
	const struct body *from;
	struct body *out;
	struct err *err;
};

static int make_in_thread(void *arg)
{
	struct make_job *j = arg;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t before = (size_t)(j->from->offset % page);
	size_t n = (size_t)j->from->length;

	if (j->from->length > SEVEN_BIT_MAX)
		return err_set(j->err, -E2BIG, "the message is too long to be converted");
	char *p = mmap(NULL, before + n, PROT_READ, MAP_PRIVATE, j->from->fd,
		       (off_t)(j->from->offset - before));
	if (p == MAP_FAILED)
		return err_sys(j->err, "a message that is to be converted");
	int r = seven_bit_write(str_of(p + before, n), &j->out->fd, &j->out->length, j->err);
	munmap(p, before + n);
	return r;
}

int seven_bit_make(const struct body *from, struct body *out, struct err *err)
{
	struct body made = { .fd = -1 };
	struct make_job j = { from, &made, err };

	int r = work_run(make_in_thread, &j);
	if (r < 0)
		return r;
	*out = made;
	return 0;
}
