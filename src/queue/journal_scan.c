#include "queue/journal_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"

#define WINDOW (256u << 10)
#define BLOCK  4096u

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static uint64_t file_size(const struct journal_segment *s)
{
	off_t size = lseek(s->fd, 0, SEEK_END);

	return size < 0 ? 0 : (uint64_t)size;
}

/* Read a window block by block; what the disk cannot give becomes bytes that are no record. */
static void fill_unreadable(struct journal_scan *scan, size_t n)
{
	for (size_t i = 0; i < n; i += BLOCK) {
		size_t part = n - i < BLOCK ? n - i : BLOCK;
		int r = journal_io_read_all(scan->journal->io, scan->segment->fd, scan->window + i,
					    part, (off_t)(scan->window_at + i));
		if (r < 0)
			memset(scan->window + i, 0xff, part);
	}
}

/* The n bytes at an offset, which lie before scan->size; valid until the next call. */
static const char *peek(struct journal_scan *scan, uint64_t offset, size_t n)
{
	check(n <= WINDOW && offset + n <= scan->size);
	if (offset < scan->window_at || offset + n > scan->window_at + scan->window_used) {
		uint64_t left = scan->size - offset;
		scan->window_at = offset;
		scan->window_used = left < WINDOW ? (size_t)left : WINDOW;
		int r = journal_io_read_all(scan->journal->io, scan->segment->fd, scan->window,
					    scan->window_used, (off_t)offset);
		if (r < 0)
			fill_unreadable(scan, scan->window_used);
	}
	return scan->window + (offset - scan->window_at);
}

/* Is there a record that ends before scan->size? */
static bool record_at(struct journal_scan *scan, uint64_t offset, struct journal_record *record)
{
	if (offset + JOURNAL_RECORD_HEADER > scan->size)
		return false;
	return journal_record_parse(peek(scan, offset, JOURNAL_RECORD_HEADER), scan->segment->salt,
				    record) &&
	       journal_record_size(record->length) <= scan->size - offset;
}

/* The zeros that end a batch, up to the next sector. */
static bool is_padding(struct journal_scan *scan, uint64_t offset, uint64_t *end)
{
	*end = align_up(offset, JOURNAL_SECTOR);
	if (*end == offset || *end > scan->size)
		return false;
	const char *p = peek(scan, offset, *end - offset);
	for (uint64_t i = 0; i < *end - offset; i++) {
		if (p[i])
			return false;
	}
	return true;
}

/* The offset of the next record after a place that holds none; scan->size when there is none. */
static uint64_t resync(struct journal_scan *scan, uint64_t offset)
{
	struct journal_record record;

	while (offset + JOURNAL_RECORD_HEADER <= scan->size) {
		if (record_at(scan, offset, &record))
			return offset;
		offset += JOURNAL_RECORD_ALIGN;
	}
	return scan->size;
}

static void add_gap(struct journal_scan *scan, uint64_t offset, uint64_t length)
{
	if (length == 0)
		return;
	if (scan->gap_count == JOURNAL_GAPS_MAX) {
		/* One report for all the rest. */
		scan->gaps[JOURNAL_GAPS_MAX - 1].length =
			offset + length - scan->gaps[JOURNAL_GAPS_MAX - 1].offset;
		return;
	}
	scan->gaps[scan->gap_count].offset = offset;
	scan->gaps[scan->gap_count].length = length;
	scan->gap_count++;
}

static void visit_note(struct journal_scan *scan, enum journal_type type, const char *note)
{
	if (type == JOURNAL_MARKS) {
		struct journal_mark mark = journal_mark_parse(note);
		scan->visitor->mark(scan->ctx, &mark);
	} else {
		struct journal_wait wait = journal_wait_parse(note);
		scan->visitor->wait(scan->ctx, &wait);
	}
}

/* Marks and waits. */
static void visit_notes(struct journal_scan *scan, const struct journal_record *record,
			uint64_t offset)
{
	uint64_t at = offset + JOURNAL_RECORD_HEADER;
	uint32_t crc = 0;

	for (uint64_t i = 0; i < record->length; i += JOURNAL_MARK_SIZE)
		crc = crc32c(crc, peek(scan, at + i, JOURNAL_MARK_SIZE), JOURNAL_MARK_SIZE);
	if (crc != record->crc) {
		add_gap(scan, offset, journal_record_size(record->length));
		return;
	}
	for (uint64_t i = 0; i < record->length; i += JOURNAL_MARK_SIZE)
		visit_note(scan, record->type, peek(scan, at + i, JOURNAL_MARK_SIZE));
}

static void visit(struct journal_scan *scan, const struct journal_record *record, uint64_t offset)
{
	if (record->synced > scan->synced)
		scan->synced = record->synced;
	if (record->type != JOURNAL_MESSAGE)
		visit_notes(scan, record, offset);
	else
		scan->visitor->message(scan->ctx, record, scan->segment, offset);
}

/* Returns where the last record ends. */
static uint64_t scan_records(struct journal_scan *scan)
{
	uint64_t offset = JOURNAL_SEGMENT_START, end = offset;

	while (offset < scan->size) {
		struct journal_record record;
		uint64_t next;

		if (record_at(scan, offset, &record)) {
			visit(scan, &record, offset);
			offset += journal_record_size(record.length);
			end = offset;
			continue;
		}
		if (!is_padding(scan, offset, &next)) {
			next = resync(scan, offset + JOURNAL_RECORD_ALIGN);
			/* Behind the last record of a segment whose end nobody knows, there is
			 * always something: space allocated ahead, or a batch that was cut. */
			if (next == scan->size && scan->limit == JOURNAL_SCAN_TO_END)
				break;
			add_gap(scan, offset, next - offset);
		}
		offset = next;
	}
	return end;
}

static void report_gaps(struct journal_scan *scan)
{
	for (size_t i = 0; i < scan->gap_count; i++) {
		struct journal_damage damage = {
			.segment = scan->segment->number,
			.offset = scan->gaps[i].offset,
			.length = scan->gaps[i].length,
			.torn = scan->gaps[i].offset >= scan->synced,
		};
		if (damage.torn || journal_keep_damaged(scan->journal, scan->segment, &damage))
			scan->visitor->damage(scan->ctx, &damage);
	}
}

static void scan_begin(struct journal_scan *scan)
{
	scan->window = malloc(WINDOW);
	if (!scan->window)
		check_no_memory();
	scan->window_used = 0;
	scan->gap_count = 0;
	scan->size = file_size(scan->segment);
}

void journal_scan(struct journal_scan *scan)
{
	scan_begin(scan);
	uint64_t size = scan->size;
	if (scan->limit < scan->size)
		scan->size = scan->limit;

	uint64_t end = scan_records(scan);
	/* The file has lost its end. */
	if (scan->limit != JOURNAL_SCAN_TO_END && scan->limit > size)
		add_gap(scan, size, scan->limit - size);
	scan->segment->end =
		scan->limit == JOURNAL_SCAN_TO_END ? align_up(end, JOURNAL_SECTOR) : scan->limit;
	scan->segment->synced = scan->synced;
	report_gaps(scan);
	free(scan->window);
}

void journal_scan_without_header(struct journal_scan *scan)
{
	scan_begin(scan);
	scan->synced = scan->size;
	add_gap(scan, 0, scan->size);
	report_gaps(scan);
	scan->segment->end = scan->segment->synced = scan->size;
	free(scan->window);
}
