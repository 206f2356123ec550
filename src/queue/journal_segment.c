#include "queue/journal_segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "queue/bytes.h"
#include "queue/journal_io.h"

#define VERSION 1

/* The second copy is in another sector and another half of the page. */
static const size_t copies[] = { 0, 2048 };

static const char magic[8] = "PHJRNL\r\n";

enum offset {
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_NUMBER = 16,
	AT_SALT = 24,
	AT_PREVIOUS = 32,
	AT_PREVIOUS_END = 40,
	AT_PREVIOUS_SYNCED = 48,
	AT_CRC = 56,
	HEADER_SIZE = 60,
};

void journal_segment_name(uint64_t number, char out[JOURNAL_NAME_MAX])
{
	snprintf(out, JOURNAL_NAME_MAX, "%016" PRIx64 ".segment", number);
}

void journal_spare_name(uint64_t number, char out[JOURNAL_NAME_MAX])
{
	snprintf(out, JOURNAL_NAME_MAX, "%016" PRIx64 ".spare", number);
}

static bool parse_name(const char *name, const char *suffix, uint64_t *number)
{
	uint64_t n = 0;

	for (int i = 0; i < 16; i++) {
		int digit = ascii_hex_value((unsigned char)name[i]);
		if (digit < 0)
			return false;
		n = n << 4 | (uint64_t)digit;
	}
	if (strcmp(name + 16, suffix) != 0)
		return false;
	*number = n;
	return true;
}

bool journal_segment_parse_name(const char *name, uint64_t *number)
{
	return parse_name(name, ".segment", number);
}

bool journal_spare_parse_name(const char *name, uint64_t *number)
{
	return parse_name(name, ".spare", number);
}

int journal_segment_write_header(const struct journal_io *io, int fd,
				 const struct journal_segment_header *h, struct err *err)
{
	static const char zeros[JOURNAL_SEGMENT_START];
	char one[HEADER_SIZE] = { 0 };

	memcpy(one + AT_MAGIC, magic, sizeof(magic));
	bytes_put_u32(one + AT_VERSION, VERSION);
	bytes_put_u64(one + AT_NUMBER, h->number);
	bytes_put_u64(one + AT_SALT, h->salt);
	bytes_put_u64(one + AT_PREVIOUS, h->previous);
	bytes_put_u64(one + AT_PREVIOUS_END, h->previous_end);
	bytes_put_u64(one + AT_PREVIOUS_SYNCED, h->previous_synced);
	bytes_put_u32(one + AT_CRC, crc32c(0, one, AT_CRC));

	int r = journal_io_write_all(io, fd, zeros, sizeof(zeros), 0);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(copies); i++)
		r = journal_io_write_all(io, fd, one, sizeof(one), (off_t)copies[i]);
	if (r < 0)
		return err_set(err, r, "segment %" PRIx64 ": header: %s", h->number, strerror(-r));
	return 0;
}

int journal_segment_read_header(const struct journal_io *io, int fd,
				struct journal_segment_header *out, struct err *err)
{
	int r = -EBADMSG;

	for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
		char one[HEADER_SIZE];

		r = journal_io_read_all(io, fd, one, sizeof(one), (off_t)copies[i]);
		if (r < 0)
			continue;
		r = -EBADMSG;
		if (memcmp(one + AT_MAGIC, magic, sizeof(magic)) != 0 ||
		    bytes_u32(one + AT_CRC) != crc32c(0, one, AT_CRC))
			continue;
		if (bytes_u32(one + AT_VERSION) != VERSION)
			return err_set(err, -EPROTO, "version %u is not known",
				       bytes_u32(one + AT_VERSION));
		*out = (struct journal_segment_header){
			.number = bytes_u64(one + AT_NUMBER),
			.salt = bytes_u64(one + AT_SALT),
			.previous = bytes_u64(one + AT_PREVIOUS),
			.previous_end = bytes_u64(one + AT_PREVIOUS_END),
			.previous_synced = bytes_u64(one + AT_PREVIOUS_SYNCED),
		};
		return 0;
	}
	return err_set(err, r, "no sound header: %s", strerror(-r));
}

struct journal_segment *journal_segment_new(const struct journal_segment_header *h, int fd)
{
	struct journal_segment *s = calloc(1, sizeof(*s));

	if (!s)
		check_no_memory();
	s->number = h->number;
	s->salt = h->salt;
	s->fd = fd;
	s->end = s->synced = JOURNAL_SEGMENT_START;
	list_init(&s->link);
	list_init(&s->entries);
	return s;
}

void journal_segment_free(const struct journal_io *io, struct journal_segment *s)
{
	if (!s)
		return;
	check(list_empty(&s->entries));
	list_remove(&s->link);
	if (s->fd >= 0)
		io->close(s->fd);
	free(s);
}
