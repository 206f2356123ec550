/* Single records: sound or not, and what becomes of one that is not. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/fd.h"
#include "queue/journal_state.h"

#define BLOCK (64u << 10)

static char *new_block(void)
{
	char *p = malloc(BLOCK);

	if (!p)
		check_no_memory();
	return p;
}

static int err_at(struct err *err, int r, const struct journal_segment *s, uint64_t offset)
{
	return err_set(err, r, "journal: segment %" PRIx64 " at %" PRIu64 ": %s", s->number, offset,
		       r == -EBADMSG ? "checksum is wrong" : strerror(-r));
}

int journal_verify(const struct journal *j, const struct journal_segment *s, uint64_t offset,
		   struct journal_record *out, struct err *err)
{
	char header[JOURNAL_RECORD_HEADER];
	struct journal_record record;

	int r = journal_io_read_all(j->io, s->fd, header, sizeof(header), (off_t)offset);
	if (r == 0 && !journal_record_parse(header, s->salt, &record))
		r = -EBADMSG;
	if (r < 0)
		return err_at(err, r, s, offset);

	auto_free char *block = new_block();
	uint64_t at = offset + JOURNAL_RECORD_HEADER, left = record.length;
	uint32_t crc = 0;
	while (left) {
		size_t part = left < BLOCK ? (size_t)left : BLOCK;
		r = journal_io_read_all(j->io, s->fd, block, part, (off_t)at);
		if (r < 0)
			return err_at(err, r, s, at);
		crc = crc32c(crc, block, part);
		at += part;
		left -= part;
	}
	if (crc != record.crc)
		return err_at(err, -EBADMSG, s, offset);
	*out = record;
	return 0;
}

/* Blocks that cannot be read become zeros, so that the offsets in the copy stay right. */
static int copy_range(const struct journal *j, const struct journal_segment *s, int to,
		      const struct journal_damage *d)
{
	auto_free char *block = new_block();

	for (uint64_t i = 0; i < d->length; i += BLOCK) {
		size_t part = d->length - i < BLOCK ? (size_t)(d->length - i) : BLOCK;
		int r = journal_io_read_all(j->io, s->fd, block, part, (off_t)(d->offset + i));
		if (r == -ENODATA)
			break;
		if (r < 0)
			memset(block, 0, part);
		r = journal_io_write_all(j->io, to, block, part, (off_t)i);
		if (r < 0)
			return r;
	}
	return j->io->fsync(to) < 0 ? -errno : 0;
}

bool journal_keep_damaged(const struct journal *j, const struct journal_segment *s,
			  struct journal_damage *d)
{
	char name[JOURNAL_NAME_MAX];

	d->kept[0] = '\0';
	snprintf(name, sizeof(name), "damaged-%016" PRIx64 "-%" PRIx64, s->number, d->offset);
	int to = j->io->openat(j->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return errno != EEXIST;
	int r = copy_range(j, s, to, d);
	j->io->close(to);
	if (r < 0)
		j->io->unlinkat(j->dir, name);
	else
		memcpy(d->kept, name, sizeof(name));
	return true;
}
