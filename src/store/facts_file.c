#include "store/facts_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/fd.h"
#include "store/index.h"

/* A place is an offset in units of this, so that 32 bits reach far. */
#define UNIT	   8
#define OUT_MAX	   ((size_t)256 << 10)
#define WINDOW_MIN ((size_t)8 << 10)
#define WINDOW_MAX ((size_t)256 << 10)

/* In front of each hot blob, and padded behind it to UNIT bytes. */
struct hot_head {
	uint32_t crc; /* of what follows, the blob included */
	uint32_t uid;
	uint32_t hot, cold; /* bytes of the blobs */
	uint64_t cold_at;   /* in the other file */
	int64_t saved;
};

struct cold_head {
	uint32_t crc;
	uint32_t uid;
};

_Static_assert(sizeof(struct hot_head) % UNIT == 0 && sizeof(struct cold_head) % UNIT == 0,
	       "places stay aligned");

static void side_init(struct facts_side *s)
{
	*s = (struct facts_side){ .fd = -1, .window_next = WINDOW_MIN };
	buf_init(&s->out, NULL, SIZE_MAX / 2);
}

void facts_files_init(struct facts_files *f, int dirfd, const uint8_t guid[16], uint32_t generation)
{
	*f = (struct facts_files){ .dirfd = dirfd, .generation = generation };
	memcpy(f->guid, guid, sizeof(f->guid));
	side_init(&f->hot);
	side_init(&f->cold);
}

static void file_name(const struct facts_files *f, const struct facts_side *s, char out[static 64])
{
	store_guid_text(out, f->guid);
	snprintf(out + 32, 32, ".%u.%s", f->generation, s == &f->hot ? "hot" : "cold");
}

static int side_open(struct facts_files *f, struct facts_side *s)
{
	char name[64];
	struct stat st;

	if (s->fd >= 0)
		return 0;
	if (f->dirfd < 0)
		return -ENOENT;
	file_name(f, s, name);
	s->fd = openat(f->dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->fd < 0)
		return -errno;
	if (fstat(s->fd, &st) < 0)
		return -errno;
	/* Place 0 means that there is none; a torn end is left behind. */
	s->size = ((uint64_t)st.st_size + UNIT - 1) / UNIT * UNIT;
	if (s->size == 0)
		s->size = UNIT;
	return 0;
}

static int side_flush(struct facts_side *s)
{
	while (s->out.n) {
		ssize_t n = pwrite(s->fd, s->out.p, s->out.n, (off_t)s->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		s->size += (uint64_t)n;
		buf_consume(&s->out, (size_t)n);
	}
	return 0;
}

static void side_rest(struct facts_side *s)
{
	if (s->fd >= 0)
		close(s->fd);
	buf_done(&s->out);
	free(s->window);
	side_init(s);
}

void facts_files_flush(struct facts_files *f)
{
	if (f->cold.out.n && side_flush(&f->cold) < 0)
		f->failed = true;
	if (f->hot.out.n && side_flush(&f->hot) < 0)
		f->failed = true;
}

void facts_files_rest(struct facts_files *f)
{
	facts_files_flush(f);
	side_rest(&f->hot);
	side_rest(&f->cold);
}

static void pad(struct buf *out)
{
	static const char zeros[UNIT];
	buf_put(out, zeros, -out->n & (UNIT - 1));
}

static uint64_t side_end(const struct facts_side *s)
{
	return s->size + s->out.n;
}

static uint64_t put_cold(struct facts_files *f, uint32_t uid, struct str blob)
{
	struct cold_head h = { .uid = uid };
	uint64_t at = side_end(&f->cold);

	h.crc = crc32c(crc32c(0, &uid, sizeof(uid)), blob.p, blob.n);
	buf_put(&f->cold.out, &h, sizeof(h));
	buf_put_str(&f->cold.out, blob);
	pad(&f->cold.out);
	return at;
}

static uint32_t hot_crc(const struct hot_head *h, const char *blob)
{
	uint32_t crc = crc32c(0, &h->uid, sizeof(*h) - sizeof(h->crc));
	return crc32c(crc, blob, h->hot);
}

uint32_t facts_files_put(struct facts_files *f, uint32_t uid, const struct mime_facts *facts,
			 int64_t saved)
{
	if (f->failed || side_open(f, &f->hot) < 0 || side_open(f, &f->cold) < 0)
		return 0;
	uint64_t at = side_end(&f->hot);
	if (at / UNIT > UINT32_MAX)
		return 0;
	struct hot_head h = {
		.uid = uid,
		.hot = (uint32_t)facts->hot.n,
		.cold = (uint32_t)facts->cold.n,
		.cold_at = put_cold(f, uid, facts->cold),
		.saved = saved,
	};
	f->puts++;
	h.crc = hot_crc(&h, facts->hot.p);
	buf_put(&f->hot.out, &h, sizeof(h));
	buf_put_str(&f->hot.out, facts->hot);
	pad(&f->hot.out);
	if (f->hot.out.n > OUT_MAX || f->cold.out.n > OUT_MAX)
		facts_files_flush(f);
	return (uint32_t)(at / UNIT);
}

/* Read from `at` on into the window: little at first, more as long as one reads on. */
static int window_fill(struct facts_side *s, uint64_t at, size_t need)
{
	bool on = s->window_n && at >= s->window_at && at <= s->window_at + s->window_n;
	size_t want = on ? s->window_next : WINDOW_MIN;

	s->window_next = want < WINDOW_MAX ? want * 2 : want;
	if (want < need)
		want = need;
	if (!s->window)
		s->window = malloc(WINDOW_MAX);
	if (!s->window)
		check_no_memory();
	ssize_t n = fd_pread_all(s->fd, s->window, want, at);
	s->window_n = n < 0 ? 0 : (size_t)n;
	s->window_at = at;
	return s->window_n >= need ? 0 : -ENOENT;
}

static const char *side_bytes(struct facts_side *s, uint64_t at, size_t n)
{
	if (n > WINDOW_MAX)
		return NULL;
	bool have = at >= s->window_at && at + n <= s->window_at + s->window_n;
	if (!have && window_fill(s, at, n) < 0)
		return NULL;
	return s->window + (at - s->window_at);
}

static int read_hot(struct facts_files *f, uint32_t place, uint32_t uid, struct hot_head *h,
		    struct str *blob)
{
	uint64_t at = (uint64_t)place * UNIT;

	facts_files_flush(f);
	if (place == 0 || side_open(f, &f->hot) < 0)
		return -ENOENT;
	const char *p = side_bytes(&f->hot, at, sizeof(*h));
	if (!p)
		return -ENOENT;
	memcpy(h, p, sizeof(*h));
	if (h->uid != uid || h->hot > MIME_FACTS_MAX || h->cold > MIME_FACTS_MAX)
		return -ENOENT;
	p = side_bytes(&f->hot, at + sizeof(*h), h->hot);
	if (!p || hot_crc(h, p) != h->crc)
		return -ENOENT;
	*blob = str_of(p, h->hot);
	return 0;
}

int facts_files_hot(struct facts_files *f, uint32_t place, uint32_t uid, struct mime_facts *out)
{
	struct hot_head h;
	struct str hot;

	int r = read_hot(f, place, uid, &h, &hot);
	if (r < 0)
		return r;
	return mime_facts_parse(hot, STR_NONE, out) < 0 ? -ENOENT : 0;
}

int facts_files_all(struct facts_files *f, uint32_t place, uint32_t uid, struct mime_facts *out)
{
	struct hot_head h;
	struct cold_head c;
	struct str hot;

	int r = read_hot(f, place, uid, &h, &hot);
	if (r < 0)
		return r;
	if (side_open(f, &f->cold) < 0)
		return -ENOENT;
	const char *p = side_bytes(&f->cold, h.cold_at, sizeof(c) + h.cold);
	if (!p)
		return -ENOENT;
	memcpy(&c, p, sizeof(c));
	struct str cold = str_of(p + sizeof(c), h.cold);
	if (c.uid != uid || crc32c(crc32c(0, &uid, sizeof(uid)), cold.p, cold.n) != c.crc)
		return -ENOENT;
	return mime_facts_parse(hot, cold, out) < 0 ? -ENOENT : 0;
}

int64_t facts_files_saved(struct facts_files *f, uint32_t place, uint32_t uid)
{
	struct hot_head h;
	struct str hot;

	return read_hot(f, place, uid, &h, &hot) < 0 ? INT64_MIN : h.saved;
}

uint64_t facts_files_size(struct facts_files *f)
{
	if (side_open(f, &f->hot) < 0 || side_open(f, &f->cold) < 0)
		return 0;
	return side_end(&f->hot) + side_end(&f->cold);
}

void facts_files_remove(struct facts_files *f)
{
	struct facts_side *sides[] = { &f->hot, &f->cold };
	char name[64];

	for (size_t i = 0; i < 2; i++) {
		side_rest(sides[i]);
		file_name(f, sides[i], name);
		(void)unlinkat(f->dirfd, name, 0);
	}
}
