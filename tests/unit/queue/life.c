#include "life.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"

/* So that the messages of a life fill many segments. */
#define SEGMENT_SIZE (64u << 10)
#define RESERVE	     (4u << 10)

void life_init(struct life *l, unsigned seed)
{
	*l = (struct life){
		.config = { .io = &disk_io,
			    .segment_size = SEGMENT_SIZE,
			    .reserve = RESERVE,
			    .spares = 2 },
		.seed = seed,
	};
	l->messages = calloc(LIFE_MESSAGES_MAX, sizeof(*l->messages));
	check(l->messages != NULL);
}

void life_done(struct life *l)
{
	free(l->messages);
}

static unsigned draw(struct life *l, unsigned below)
{
	return (unsigned)rand_r(&l->seed) % below;
}

static size_t content_size(uint64_t id)
{
	unsigned seed = (unsigned)id * 2654435761u;
	size_t n = (unsigned)rand_r(&seed) % 3000;

	if (id % 17 == 0)
		n += 20000;
	if (id % 47 == 0)
		n += 100000; /* more than a segment */
	return n;
}

char *life_content(uint64_t id, size_t *n)
{
	uint64_t x = id * 0x9e3779b97f4a7c15u + 1;

	*n = content_size(id);
	char *p = malloc(*n + sizeof(x));
	check(p != NULL);
	for (size_t i = 0; i < *n; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(p + i, &x, sizeof(x));
	}
	return p;
}

static struct life_message *message_of(struct life *l, uint64_t id)
{
	return id && id <= l->count ? &l->messages[id - 1] : NULL;
}

static void unplace(struct life_message *m)
{
	if (!m->live)
		return;
	list_remove(&m->link);
	m->segment->live_bytes -= m->size;
	m->live = false;
}

static void place(struct life_message *m, struct journal_segment *s, uint64_t offset)
{
	unplace(m);
	m->size = journal_record_size(content_size(m->id));
	s->live_bytes += m->size;
	m->live = true;
	m->segment = s;
	m->offset = offset;
	list_append(&s->entries, &m->link);
}

static void on_message(void *ctx, const struct journal_record *r, struct journal_segment *s,
		       uint64_t offset)
{
	struct life *l = ctx;
	struct life_message *m = message_of(l, r->id);

	check(m != NULL);
	/* A move that the power cut off must not hide the message that it copied. */
	struct journal_record copy;
	if (m->live && journal_verify(l->journal, s, offset, &copy, NULL) < 0)
		return;
	place(m, s, offset);
	m->seen++;
	m->crc = r->crc;
}

static void on_wait(void *ctx, const struct journal_wait *wait)
{
	(void)ctx, (void)wait;
	check(false); /* nobody has written one */
}

static void on_mark(void *ctx, const struct journal_mark *mark)
{
	struct life_message *m = message_of(ctx, mark->id);

	check(m != NULL && mark->recipient == JOURNAL_MARK_ALL);
	unplace(m);
}

static void on_damage(void *ctx, const struct journal_damage *d)
{
	struct life *l = ctx;

	if (d->torn)
		l->torn++;
	else
		l->damages++;
}

/* A live message is ours to the last byte, or its record was never whole. */
static void check_content(struct life *l, struct life_message *m)
{
	struct journal_record record;
	size_t n;

	int r = journal_verify(l->journal, m->segment, m->offset, &record, NULL);
	if (r < 0) {
		check(r == -EBADMSG);
		unplace(m);
		return;
	}
	char *expected = life_content(m->id, &n);
	check(record.id == m->id && record.length == n);
	check(record.crc == crc32c(0, expected, n));
	free(expected);
}

int life_open(struct life *l, const char *dir)
{
	static const struct journal_visitor visitor = {
		.message = on_message,
		.mark = on_mark,
		.wait = on_wait,
		.damage = on_damage,
	};

	l->config.dir = dir;
	l->damages = l->torn = 0;
	for (size_t i = 0; i < l->count; i++)
		l->messages[i].seen = 0;
	int r = journal_open(&l->config, &l->journal, NULL);
	if (r < 0)
		return r;
	r = journal_replay(l->journal, &visitor, l, NULL);
	for (size_t i = 0; i < l->count; i++) {
		if (l->messages[i].live)
			check_content(l, &l->messages[i]);
	}
	if (r < 0)
		life_close(l);
	return r;
}

void life_close(struct life *l)
{
	for (size_t i = 0; i < l->count; i++)
		unplace(&l->messages[i]);
	journal_free(l->journal);
	l->journal = NULL;
}

struct work {
	struct life *life;
	struct journal_batch batch;
	struct journal_append appends[64];
	char *contents[64];
	size_t count;
	char marks[64 * JOURNAL_MARK_SIZE];
	uint64_t marked[64];
	size_t mark_count;
};

static struct journal_append *add_append(struct work *w, enum journal_type type, uint64_t id)
{
	check(w->count < ARRAY_LEN(w->appends));
	struct journal_append *a = &w->appends[w->count++];
	*a = (struct journal_append){ .type = type, .id = id, .piece_count = 1 };
	list_append(&w->batch.appends, &a->link);
	return a;
}

static void add_message(struct work *w)
{
	struct life *l = w->life;
	size_t n;

	check(l->count < LIFE_MESSAGES_MAX);
	struct life_message *m = &l->messages[l->count++];
	*m = (struct life_message){ .id = l->count,
				    .acked_at = SIZE_MAX,
				    .marked_at = SIZE_MAX,
				    .mark_sent_at = SIZE_MAX };
	struct journal_append *a = add_append(w, JOURNAL_MESSAGE, m->id);
	char *content = w->contents[w->count - 1] = life_content(m->id, &n);
	a->pieces[0] = journal_piece_bytes(str_of(content, n));
}

static void add_marks(struct work *w, unsigned count)
{
	struct life *l = w->life;

	for (unsigned i = 0; i < count && l->count; i++) {
		struct life_message *m = &l->messages[draw(l, (unsigned)l->count)];
		if (!m->live)
			continue;
		struct journal_mark mark = { .id = m->id, .recipient = JOURNAL_MARK_ALL };
		journal_mark_write(&mark, w->marks + w->mark_count * JOURNAL_MARK_SIZE);
		w->marked[w->mark_count++] = m->id;
		if (m->mark_sent_at == SIZE_MAX)
			m->mark_sent_at = disk_record_length();
		/* It needs its place no more, whether the mark arrives or not. */
		unplace(m);
	}
	if (w->mark_count == 0)
		return;
	add_append(w, JOURNAL_MARKS, 0)->pieces[0] =
		journal_piece_bytes(str_of(w->marks, w->mark_count * JOURNAL_MARK_SIZE));
}

static void add_moves(struct work *w)
{
	struct journal_segment *s = journal_compactable(w->life->journal);

	if (!s)
		return;
	LIST_FOREACH (it, &s->entries) {
		struct life_message *m = LIST_ITEM(it, struct life_message, link);
		if (w->count == ARRAY_LEN(w->appends))
			return;
		struct journal_append *a = add_append(w, JOURNAL_MESSAGE, m->id);
		a->pieces[0] = journal_piece_file(s->fd, m->offset + JOURNAL_RECORD_HEADER,
						  content_size(m->id));
		a->is_copy = true;
		a->copy_crc = m->crc;
	}
}

static void finish_append(struct work *w, const struct journal_append *a)
{
	struct life_message *m = message_of(w->life, a->id);

	if (a->type == JOURNAL_MESSAGE && a->result == 0) {
		place(m, a->segment, a->offset);
		if (m->acked_at == SIZE_MAX)
			m->acked_at = disk_record_length();
		size_t n;
		char *content = life_content(m->id, &n);
		m->crc = crc32c(0, content, n);
		free(content);
	} else if (a->type == JOURNAL_MESSAGE && !a->is_copy) {
		m->refused = true;
	} else if (a->type == JOURNAL_MARKS && a->result == 0) {
		for (size_t i = 0; i < w->mark_count; i++) {
			struct life_message *marked = message_of(w->life, w->marked[i]);
			if (marked->marked_at == SIZE_MAX)
				marked->marked_at = disk_record_length();
		}
	}
}

void life_commit(struct life *l, unsigned messages, unsigned marks)
{
	struct work *w = calloc(1, sizeof(*w));

	check(w != NULL);
	w->life = l;
	journal_batch_init(&w->batch);
	for (unsigned i = 0; i < messages; i++)
		add_message(w);
	add_marks(w, marks);
	add_moves(w);
	journal_collect_retired(l->journal, &w->batch.retired);
	journal_commit(l->journal, &w->batch);
	journal_batch_finish(l->journal, &w->batch);
	for (size_t i = 0; i < w->count; i++) {
		finish_append(w, &w->appends[i]);
		free(w->contents[i]);
	}
	free(w);
}

void life_check_promises(const struct life *l, size_t cut)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct life_message *m = &l->messages[i];
		bool acked = m->acked_at <= cut;
		bool may_be_gone = m->mark_sent_at <= cut;
		bool must_be_gone = m->marked_at <= cut;

		if (acked && !may_be_gone && !m->live) {
			fprintf(stderr, "message %zu was acknowledged and is lost\n", i + 1);
			check(m->live);
		}
		if (must_be_gone && m->live) {
			fprintf(stderr, "message %zu was done and is back\n", i + 1);
			check(!m->live);
		}
	}
}

void life_be_reborn(struct life *l)
{
	for (size_t i = 0; i < l->count; i++) {
		struct life_message *m = &l->messages[i];
		m->acked_at = m->live ? 0 : SIZE_MAX;
		m->mark_sent_at = SIZE_MAX;
		m->marked_at = m->live ? SIZE_MAX : 0;
	}
}
