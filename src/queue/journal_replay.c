/* What the directory holds at the start: which files are segments, how far each may be believed,
 * and every record in them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crc32c.h"
#include "queue/journal_scan.h"

struct found {
	uint64_t number;
	int fd;
	struct journal_segment_header header;
	int header_result; /* 0, or why there is none */
	bool has_next;	   /* a later header speaks of this one */
	uint64_t end, synced;
};

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct listing {
	uint64_t *segments;
	size_t count, cap;
};

static void listing_add(struct listing *l, uint64_t number)
{
	if (l->count == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->segments = realloc(l->segments, l->cap * sizeof(*l->segments));
		if (!l->segments)
			check_no_memory();
	}
	l->segments[l->count++] = number;
}

/* A spare that we have use for is kept. */
static void take_spare(struct journal *j, const char *name, uint64_t number)
{
	if (number >= j->next_number)
		j->next_number = number + 1;
	if (j->spare_count < j->spares_max)
		j->spares[j->spare_count++] = number;
	else
		j->io->unlinkat(j->dir, name);
}

static int list_dir(struct journal *j, struct listing *l, struct err *err)
{
	int fd = openat(j->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "journal: open directory");
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_sys(err, "journal: open directory");
	}
	struct dirent *entry;
	while ((errno = 0, entry = readdir(dir))) {
		uint64_t number;
		if (journal_segment_parse_name(entry->d_name, &number))
			listing_add(l, number);
		else if (journal_spare_parse_name(entry->d_name, &number))
			take_spare(j, entry->d_name, number);
	}
	int r = errno ? err_sys(err, "journal: read directory") : 0;
	closedir(dir);
	if (l->count)
		qsort(l->segments, l->count, sizeof(*l->segments), compare_numbers);
	return r;
}

static int open_found(struct journal *j, uint64_t number, struct found *f, struct err *err)
{
	char name[JOURNAL_NAME_MAX];

	journal_segment_name(number, name);
	*f = (struct found){ .number = number };
	f->fd = j->io->openat(j->dir, name, O_RDONLY | O_CLOEXEC, 0);
	if (f->fd < 0)
		return err_sys(err, "journal: %s", name);
	f->header_result = journal_segment_read_header(j->io, f->fd, &f->header, err);
	if (f->header_result == -EPROTO)
		return err_prefix(err, "journal: %s: ", name);
	if (f->header_result == 0 && f->header.number != number)
		f->header_result = -EBADMSG;
	if (number >= j->next_number)
		j->next_number = number + 1;
	return 0;
}

/* Each header speaks of one earlier segment. */
static void apply_header(struct found *all, size_t count, const struct journal_segment_header *h)
{
	for (size_t i = 0; i < count; i++) {
		struct found *f = &all[i];
		if (f->number != h->previous)
			continue;
		f->has_next = true;
		if (h->previous_end > f->end)
			f->end = h->previous_end;
		if (h->previous_synced > f->synced)
			f->synced = h->previous_synced;
	}
}

static void scan_found(struct journal *j, struct found *f, const struct journal_visitor *v,
		       void *ctx)
{
	struct journal_segment *s = journal_segment_new(&f->header, f->fd);

	s->number = f->number;
	s->no_reuse = true;
	f->fd = -1;
	list_append(&j->segments, &s->link);

	struct journal_scan scan = {
		.journal = j,
		.segment = s,
		.visitor = v,
		.ctx = ctx,
		.limit = f->has_next ? f->end : JOURNAL_SCAN_TO_END,
		.synced = f->synced,
	};
	if (f->header_result < 0)
		journal_scan_without_header(&scan);
	else
		journal_scan(&scan);
}

/* The next segment goes on where the newest one ends, and gives back what was allocated behind
 * it. */
static void note_newest(struct journal *j)
{
	char name[JOURNAL_NAME_MAX];

	if (list_empty(&j->segments))
		return;
	struct journal_segment *s = LIST_ITEM(j->segments.prev, struct journal_segment, link);
	j->previous = s->number;
	j->previous_end = s->end;
	j->previous_synced = s->synced;

	journal_segment_name(s->number, name);
	int fd = j->io->openat(j->dir, name, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)!j->io->ftruncate(fd, (off_t)s->end);
	j->io->close(fd);
}

int journal_replay(struct journal *j, const struct journal_visitor *v, void *ctx, struct err *err)
{
	struct listing listing = { 0 };
	auto_arena struct arena a = ARENA_INIT;

	int r = list_dir(j, &listing, err);
	struct found *all = ARENA_NEW_ARRAY(&a, struct found, listing.count);
	size_t count = 0;
	while (r == 0 && count < listing.count) {
		r = open_found(j, listing.segments[count], &all[count], err);
		count += r == 0;
	}
	free(listing.segments);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (all[i].header_result == 0)
			apply_header(all, i, &all[i].header);
	}
	for (size_t i = 0; i < count; i++) {
		if (r == 0)
			scan_found(j, &all[i], v, ctx);
		else
			j->io->close(all[i].fd);
	}
	if (r == 0)
		note_newest(j);
	return r;
}
