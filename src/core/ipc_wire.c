#include "core/ipc_wire.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"

void ipc_writer_init(struct ipc_writer *w, struct buf *buf)
{
	static const char room[IPC_HEADER_SIZE];

	*w = (struct ipc_writer){ .buf = buf };
	buf_clear(buf);
	buf_put(buf, room, sizeof(room));
}

void ipc_write_header(struct ipc_writer *w, const struct ipc_header *h)
{
	char *p = w->buf->p;
	uint32_t sequence = htole32(h->sequence), result = htole32((uint32_t)h->result);
	uint16_t method = htole16(h->method);

	check(w->buf->n >= IPC_HEADER_SIZE);
	memcpy(p, &sequence, 4);
	memcpy(p + 4, &result, 4);
	memcpy(p + 8, &method, 2);
	p[10] = (char)h->kind;
	p[11] = (char)w->fd_count;
}

bool ipc_writer_failed(const struct ipc_writer *w)
{
	return buf_failed(w->buf);
}

void ipc_put_bool(struct ipc_writer *w, bool v)
{
	ipc_put_u8(w, v);
}

void ipc_put_u8(struct ipc_writer *w, uint8_t v)
{
	buf_put(w->buf, &v, 1);
}

void ipc_put_u32(struct ipc_writer *w, uint32_t v)
{
	v = htole32(v);
	buf_put(w->buf, &v, sizeof(v));
}

void ipc_put_u64(struct ipc_writer *w, uint64_t v)
{
	v = htole64(v);
	buf_put(w->buf, &v, sizeof(v));
}

void ipc_put_i64(struct ipc_writer *w, int64_t v)
{
	ipc_put_u64(w, (uint64_t)v);
}

void ipc_put_str(struct ipc_writer *w, struct str s)
{
	if (s.n > IPC_MESSAGE_MAX) {
		w->buf->failed = true;
		return;
	}
	ipc_put_u32(w, (uint32_t)s.n);
	buf_put_str(w->buf, s);
}

void ipc_put_fd(struct ipc_writer *w, int fd)
{
	ipc_put_bool(w, fd >= 0);
	if (fd < 0)
		return;
	check(w->fd_count < IPC_FDS_MAX);
	w->fds[w->fd_count++] = fd;
}

bool ipc_read_header(struct str packet, struct ipc_header *h)
{
	uint32_t sequence, result;
	uint16_t method;

	if (packet.n < IPC_HEADER_SIZE)
		return false;
	memcpy(&sequence, packet.p, 4);
	memcpy(&result, packet.p + 4, 4);
	memcpy(&method, packet.p + 8, 2);
	*h = (struct ipc_header){
		.sequence = le32toh(sequence),
		.result = (int32_t)le32toh(result),
		.method = le16toh(method),
		.kind = (uint8_t)packet.p[10],
		.fd_count = (uint8_t)packet.p[11],
	};
	return (h->kind == IPC_REQUEST || h->kind == IPC_ANSWER) && h->fd_count <= IPC_FDS_MAX;
}

void ipc_reader_init(struct ipc_reader *r, struct str payload, struct arena *a)
{
	*r = (struct ipc_reader){ .left = payload, .arena = a };
}

/* n bytes, or NULL and a failure for good. */
static const char *take(struct ipc_reader *r, size_t n)
{
	if (r->failed || r->left.n < n) {
		r->failed = true;
		return NULL;
	}
	const char *p = r->left.p;
	r->left = str_skip(r->left, n);
	return p;
}

uint8_t ipc_get_u8(struct ipc_reader *r)
{
	const char *p = take(r, 1);

	return p ? (uint8_t)*p : 0;
}

bool ipc_get_bool(struct ipc_reader *r)
{
	uint8_t v = ipc_get_u8(r);

	r->failed |= v > 1;
	return v == 1;
}

uint32_t ipc_get_u32(struct ipc_reader *r)
{
	uint32_t v = 0;
	const char *p = take(r, sizeof(v));

	if (p)
		memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

uint64_t ipc_get_u64(struct ipc_reader *r)
{
	uint64_t v = 0;
	const char *p = take(r, sizeof(v));

	if (p)
		memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

int64_t ipc_get_i64(struct ipc_reader *r)
{
	return (int64_t)ipc_get_u64(r);
}

struct str ipc_get_str(struct ipc_reader *r)
{
	size_t n = ipc_get_u32(r);
	const char *p = take(r, n);

	return p ? str_of(p, n) : STR_NONE;
}

int ipc_get_fd(struct ipc_reader *r)
{
	if (!ipc_get_bool(r))
		return -1;
	if (r->fd_next >= r->fd_count) {
		r->failed = true;
		return -1;
	}
	int fd = r->fds[r->fd_next];
	r->fds[r->fd_next++] = -1;
	return fd;
}

void *ipc_get_list(struct ipc_reader *r, size_t least, size_t element_size, size_t *count)
{
	size_t n = ipc_get_u32(r);

	*count = 0;
	if (r->failed || n > r->left.n / least) {
		r->failed = true;
		return NULL;
	}
	*count = n;
	return n ? arena_zalloc_array(r->arena, n, element_size) : NULL;
}

bool ipc_reader_ok(const struct ipc_reader *r)
{
	return !r->failed && r->left.n == 0 && r->fd_next == r->fd_count;
}

void ipc_reader_close_fds(struct ipc_reader *r)
{
	while (r->fd_next < r->fd_count)
		close(r->fds[r->fd_next++]);
}
