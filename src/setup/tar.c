#include "setup/tar.h"

#include <errno.h>
#include <string.h>

#define BLOCK	 512
#define NAME_LEN 100
#define PATH_LEN ((size_t)4096) /* of a long name */

/* All fields are text. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
	char type, link[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
	char prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header fills a block");

static unsigned checksum(const struct header *h)
{
	const unsigned char *p = (const void *)h;
	unsigned sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= offsetof(struct header, checksum) &&
				       i < offsetof(struct header, checksum) + sizeof(h->checksum)
			       ? ' '
			       : p[i];
	return sum;
}

/* The digits that fit. */
static void put_octal(char *out, unsigned digits, uint64_t v)
{
	while (digits) {
		out[--digits] = (char)('0' + v % 8);
		v /= 8;
	}
}

static void write_header(FILE *out, struct str name, char type, uint64_t size, int64_t mtime)
{
	struct header h = { .mode = "0000600",
			    .uid = "0000000",
			    .gid = "0000000",
			    .type = type,
			    .magic = "ustar",
			    .version = { '0', '0' } };

	memcpy(h.name, name.p, name.n < NAME_LEN ? name.n : NAME_LEN);
	put_octal(h.size, 11, size);
	put_octal(h.mtime, 11, (uint64_t)(mtime > 0 ? mtime : 0));
	put_octal(h.checksum, 6, checksum(&h));
	h.checksum[6] = '\0';
	h.checksum[7] = ' ';
	fwrite(&h, 1, sizeof(h), out);
}

static void write_contents(FILE *out, struct str s)
{
	static const char zeros[BLOCK];

	fwrite(s.p, 1, s.n, out);
	fwrite(zeros, 1, -s.n & (BLOCK - 1), out);
}

void tar_write(FILE *out, const struct tar_entry *e)
{
	if (e->path.n >= NAME_LEN) {
		write_header(out, STR("././@LongLink"), 'L', e->path.n + 1, 0);
		write_contents(out, str_of(e->path.p, e->path.n + 1));
	}
	write_header(out, e->path, '0', e->contents.n, e->mtime);
	write_contents(out, e->contents);
}

void tar_write_end(FILE *out)
{
	static const char zeros[2 * BLOCK];

	fwrite(zeros, 1, sizeof(zeros), out);
}

static bool octal(const char *p, size_t n, uint64_t *out)
{
	*out = 0;
	for (; n && *p == ' '; n--)
		p++;
	for (; n && *p >= '0' && *p <= '7'; n--)
		*out = *out * 8 + (uint64_t)(*p++ - '0');
	return n == 0 || *p == '\0' || *p == ' ';
}

static int read_contents(FILE *in, uint64_t size, struct arena *a, struct str *out)
{
	char padding[BLOCK];
	char *p = arena_alloc(a, (size_t)size + 1);
	size_t pad = (size_t)(-size & (BLOCK - 1));

	if (fread(p, 1, (size_t)size, in) != size || fread(padding, 1, pad, in) != pad)
		return -EBADMSG;
	p[size] = '\0';
	*out = str_of(p, (size_t)size);
	return 0;
}

static int skip_contents(FILE *in, uint64_t size)
{
	char block[BLOCK];

	for (uint64_t done = 0; done < size; done += BLOCK)
		if (fread(block, 1, BLOCK, in) != BLOCK)
			return -EBADMSG;
	return 0;
}

static struct str header_path(const struct header *h, struct arena *a)
{
	struct str name = str_of(h->name, strnlen(h->name, sizeof(h->name)));
	struct str prefix = str_of(h->prefix, strnlen(h->prefix, sizeof(h->prefix)));

	if (prefix.n == 0 || memcmp(h->magic, "ustar", 6) != 0)
		return arena_str(a, name);
	return arena_printf(a, "%" STR_FMT "/%" STR_FMT, STR_ARG(prefix), STR_ARG(name));
}

/* "<length> path=<value>\n" among others. */
static struct str pax_path(struct str records)
{
	for (struct str line; str_next_line(&records, &line);) {
		struct str length, field;
		if (str_cut(line, ' ', &length, &field) && str_starts(field, STR("path=")))
			return str_skip(field, 5);
	}
	return STR_NONE;
}

static int read_header(FILE *in, struct header *h, uint64_t *size)
{
	uint64_t sum;

	if (fread(h, 1, BLOCK, in) != BLOCK)
		return -EBADMSG;
	if (h->name[0] == '\0')
		return 0;
	if (!octal(h->checksum, sizeof(h->checksum), &sum) || sum != checksum(h) ||
	    !octal(h->size, sizeof(h->size), size))
		return -EBADMSG;
	return 1;
}

int tar_read(FILE *in, size_t max, struct arena *a, struct tar_entry *out)
{
	struct str path = STR_NONE, text;
	struct header h;
	uint64_t size, mtime;
	int r;

	while ((r = read_header(in, &h, &size)) > 0) {
		bool names_next = h.type == 'L' || h.type == 'x';
		if (names_next && size > PATH_LEN)
			return -EBADMSG;
		if (h.type != '0' && h.type != '\0' && !names_next) {
			if (skip_contents(in, size) < 0)
				return -EBADMSG;
			path = STR_NONE;
			continue;
		}
		if (size > max)
			return -EFBIG;
		if (read_contents(in, size, a, &text) < 0)
			return -EBADMSG;
		if (names_next) {
			path = h.type == 'L' ? str_from(text.p) : pax_path(text);
			continue;
		}
		if (!octal(h.mtime, sizeof(h.mtime), &mtime))
			mtime = 0;
		*out = (struct tar_entry){ path.n ? path : header_path(&h, a), text,
					   (int64_t)mtime };
		return 1;
	}
	return r;
}
