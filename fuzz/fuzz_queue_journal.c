/* A journal directory with one segment whose bytes are anything: it opens, what is read from it is
 * what a record says, and it takes a new message afterwards.
 *
 * The input is a list of pieces: a byte for the kind, one for the length, then the bytes. They
 * become sound records, records of another life of the segment, or stay what they are. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "../tests/unit/queue/disk.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/err.h"
#include "queue/journal.h"
#include "queue/journal_io.h"
#include "queue/journal_record.h"
#include "queue/journal_segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SALT 0x1122334455667788ull

static struct journal *journal;
static unsigned sound; /* records that were written whole and untouched */
static unsigned found;

static void put_record(struct buf *out, const uint8_t *bytes, size_t n, uint64_t salt)
{
	char header[JOURNAL_RECORD_HEADER];
	struct journal_record r = {
		.type = JOURNAL_MESSAGE,
		.salt = salt,
		.id = n ? 1000 + bytes[0] : 1000,
		.synced = n > 1 ? bytes[1] * 64u : 0,
		.length = n,
		.envelope_length = (uint32_t)(n / 2),
		.recipient_count = 1,
		.crc = crc32c(0, bytes, n),
	};

	journal_record_write(&r, header);
	buf_put(out, header, sizeof(header));
	buf_put(out, bytes, n);
	while (out->n % JOURNAL_RECORD_ALIGN)
		buf_putc(out, '\0');
}

/* False at the end of the input. */
static bool put_piece(struct buf *out, const uint8_t **at, const uint8_t *end)
{
	if (end - *at < 2)
		return false;
	unsigned kind = (*at)[0] % 4;
	size_t n = (*at)[1];
	*at += 2;
	if (n > (size_t)(end - *at))
		n = (size_t)(end - *at);
	switch (kind) {
	case 0:
		put_record(out, *at, n, SALT);
		sound++;
		break;
	case 1:
		put_record(out, *at, n, ~SALT);
		break;
	default:
		buf_put(out, *at, n);
		while (out->n % JOURNAL_RECORD_ALIGN)
			buf_putc(out, '\0');
	}
	*at += n;
	return true;
}

static void write_segment(const char *dir, struct str records)
{
	struct journal_segment_header h = { .number = 1, .salt = SALT };
	char name[JOURNAL_NAME_MAX], path[256];
	struct err err;

	journal_segment_name(1, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(fd >= 0);
	check(journal_segment_write_header(&journal_io_system, fd, &h, &err) == 0);
	check(pwrite(fd, records.p, records.n, 4096) == (ssize_t)records.n);
	close(fd);
}

static void on_message(void *ctx, const struct journal_record *r, struct journal_segment *s,
		       uint64_t offset)
{
	struct journal_record again;
	struct err err;
	(void)ctx;

	found++;
	check(r->salt == SALT && offset % JOURNAL_RECORD_ALIGN == 0);
	if (journal_verify(journal, s, offset, &again, &err) == 0)
		check(again.id == r->id && again.length == r->length);
}

static void on_wait(void *ctx, const struct journal_wait *w)
{
	(void)ctx, (void)w;
}

static void on_mark(void *ctx, const struct journal_mark *m)
{
	(void)ctx, (void)m;
}

static void on_damage(void *ctx, const struct journal_damage *d)
{
	(void)ctx, (void)d;
}

static void append_one(void)
{
	struct journal_append a = { .type = JOURNAL_MESSAGE, .id = 5, .recipient_count = 1 };
	struct journal_batch b;

	a.pieces[a.piece_count++] = journal_piece_bytes(STR("after the restart"));
	journal_batch_init(&b);
	list_append(&b.appends, &a.link);
	journal_commit(journal, &b);
	journal_batch_finish(journal, &b);
	check(a.result == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct journal_visitor visitor = { on_message, on_mark, on_wait, on_damage };
	const uint8_t *at = data, *end = data + size;
	struct journal_config config = { .dir = disk_begin(), .io = &journal_io_system };
	struct arena a = ARENA_INIT;
	struct buf records;
	struct err err;

	buf_init(&records, &a, 1 << 20);
	sound = found = 0;
	while (put_piece(&records, &at, end))
		continue;
	write_segment(config.dir, buf_str(&records));
	check(journal_open(&config, &journal, &err) == 0);
	check(journal_replay(journal, &visitor, NULL, &err) == 0);
	/* Other bytes may happen to be a record, but none that is whole gets lost. */
	check(found >= sound);
	append_one();
	journal_free(journal);
	disk_end();
	arena_done(&a);
	return 0;
}
