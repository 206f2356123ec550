#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "life.h"
#include "queue/journal_state.h"

static int begin(void **state)
{
	struct life *l = malloc(sizeof(*l));

	check(l != NULL);
	life_init(l, 1);
	check(life_open(l, disk_begin()) == 0);
	*state = l;
	return 0;
}

static int end(void **state)
{
	struct life *l = *state;

	if (l->journal)
		life_close(l);
	life_done(l);
	free(l);
	disk_end();
	return 0;
}

static void restart(struct life *l)
{
	life_close(l);
	assert_int_equal(life_open(l, l->config.dir), 0);
}

static size_t count_live(const struct life *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += l->messages[i].live;
	return n;
}

static unsigned count_files(const struct life *l, const char *part)
{
	DIR *dir = opendir(l->config.dir);
	unsigned n = 0;

	for (struct dirent *e; (e = readdir(dir));)
		n += strstr(e->d_name, part) != NULL;
	closedir(dir);
	return n;
}

static void overwrite(const struct life *l, uint64_t segment, uint64_t offset, size_t n)
{
	char name[JOURNAL_NAME_MAX], path[256], junk[512];

	journal_segment_name(segment, name);
	snprintf(path, sizeof(path), "%s/%s", l->config.dir, name);
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	memset(junk, 'j', sizeof(junk));
	for (size_t i = 0; i < n; i += sizeof(junk)) {
		size_t part = n - i < sizeof(junk) ? n - i : sizeof(junk);
		assert_int_equal(pwrite(fd, junk, part, (off_t)(offset + i)), part);
	}
	close(fd);
}

static void messages_are_there_after_a_restart(void **state)
{
	struct life *l = *state;

	life_commit(l, 20, 0);
	life_commit(l, 5, 0);
	restart(l);
	assert_int_equal(count_live(l), 25);
	assert_int_equal(l->damages + l->torn, 0);
}

static void one_commit_is_one_sync(void **state)
{
	struct life *l = *state;
	struct journal_batch b;
	static struct journal_append a[40];

	l->count = 40;
	life_commit(l, 0, 0);
	journal_batch_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(a); i++) {
		a[i] = (struct journal_append){ .type = JOURNAL_MESSAGE, .id = i + 1 };
		a[i].pieces[a[i].piece_count++] = journal_piece_bytes(STR("envelope"));
		a[i].pieces[a[i].piece_count++] = journal_piece_bytes(STR("body"));
		list_append(&b.appends, &a[i].link);
	}
	size_t calls = disk_calls();
	journal_commit(l->journal, &b);
	journal_batch_finish(l->journal, &b);
	assert_int_equal(b.syncs, 1);
	/* Six to begin the segment, one write, one fdatasync. */
	assert_in_range(disk_calls() - calls, 2, 12);
	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		assert_int_equal(a[i].result, 0);
	l->count = 0;
}

/* Up to where the blocks of the only segment have been written. */
static off_t written_end(const struct life *l)
{
	char path[512] = "";
	DIR *dir = opendir(l->config.dir);

	for (struct dirent *e; (e = readdir(dir));)
		if (strstr(e->d_name, ".segment"))
			snprintf(path, sizeof(path), "%s/%s", l->config.dir, e->d_name);
	closedir(dir);
	int fd = open(path, O_RDONLY);
	off_t end = lseek(fd, 0, SEEK_HOLE), size = lseek(fd, 0, SEEK_END);
	close(fd);
	if (end == size)
		skip(); /* this file system does not tell */
	return end;
}

static void small_commits_share_the_filling_of_new_blocks(void **state)
{
	struct life *l = *state;

	life_close(l);
	l->config.segment_size = 16 * JOURNAL_FILL;
	assert_int_equal(life_open(l, l->config.dir), 0);
	life_commit(l, 1, 0);
	off_t filled = written_end(l);
	assert_true(filled > JOURNAL_FILL);

	size_t calls = disk_calls();
	for (int i = 0; i < 10; i++)
		life_commit(l, 1, 0);
	assert_int_equal(written_end(l), filled);
	assert_int_equal(disk_calls() - calls, 10 * 2); /* a write and a sync each */
	restart(l);
	assert_int_equal(count_live(l), 11);
}

static void finished_messages_do_not_come_back(void **state)
{
	struct life *l = *state;

	life_commit(l, 30, 0);
	for (int i = 0; i < 20; i++)
		life_commit(l, 0, 10);
	size_t live = count_live(l);
	assert_in_range(live, 0, 15);
	restart(l);
	assert_int_equal(count_live(l), live);
}

static void done_segments_go_and_live_ones_shrink(void **state)
{
	struct life *l = *state;

	for (int i = 0; i < 150; i++)
		life_commit(l, 5, 60);
	uint64_t live_bytes = 0;
	for (size_t i = 0; i < l->count; i++)
		live_bytes += l->messages[i].live ? l->messages[i].size : 0;
	assert_in_range(journal_bytes(l->journal), live_bytes,
			2 * live_bytes + 6 * l->config.segment_size);
	assert_in_range(count_files(l, ".spare"), 1, 2);
	size_t live = count_live(l);
	restart(l);
	assert_int_equal(count_live(l), live);
}

static void a_large_body_streams_from_its_file(void **state)
{
	struct life *l = *state;
	struct journal_batch b;
	struct journal_append a = { .type = JOURNAL_MESSAGE, .id = 1, .envelope_length = 8 };
	struct journal_record record;
	size_t n = 5u << 20;
	int fd = memfd_create("body", 0);
	char *body = malloc(n);

	for (size_t i = 0; i < n; i++)
		body[i] = (char)(i * 7919 >> 3);
	assert_int_equal(write(fd, body, n), n);
	journal_batch_init(&b);
	a.pieces[a.piece_count++] = journal_piece_bytes(STR("envelope"));
	a.pieces[a.piece_count++] = journal_piece_bytes(STR("Received: here\r\n"));
	a.pieces[a.piece_count++] = journal_piece_file(fd, 0, n);
	list_append(&b.appends, &a.link);
	journal_commit(l->journal, &b);
	journal_batch_finish(l->journal, &b);
	close(fd);

	assert_int_equal(a.result, 0);
	assert_int_equal(journal_verify(l->journal, a.segment, a.offset, &record, NULL), 0);
	assert_int_equal(record.length, 8 + 16 + n);
	assert_int_equal(record.envelope_length, 8);
	char *back = malloc(n);
	assert_int_equal(
		pread(a.segment->fd, back, n, (off_t)(a.offset + JOURNAL_RECORD_HEADER + 24)), n);
	assert_memory_equal(body, back, n);
	free(back);
	free(body);
}

static void a_body_shorter_than_promised_fails_alone(void **state)
{
	struct life *l = *state;
	struct journal_batch b;
	struct journal_append a[3] = { 0 };
	int fd = memfd_create("body", 0);

	assert_int_equal(write(fd, "abc", 3), 3);
	journal_batch_init(&b);
	for (size_t i = 0; i < 3; i++) {
		a[i] = (struct journal_append){ .type = JOURNAL_MESSAGE, .id = i + 1 };
		a[i].pieces[a[i].piece_count++] = journal_piece_file(fd, 0, i == 1 ? 3000000 : 3);
		list_append(&b.appends, &a[i].link);
	}
	journal_commit(l->journal, &b);
	journal_batch_finish(l->journal, &b);
	close(fd);
	assert_int_equal(a[0].result, 0);
	assert_int_equal(a[1].result, -ENODATA);
	assert_int_equal(a[2].result, 0);

	struct journal_record record;
	assert_int_equal(journal_verify(l->journal, a[0].segment, a[0].offset, &record, NULL), 0);
	assert_int_equal(journal_verify(l->journal, a[2].segment, a[2].offset, &record, NULL), 0);
}

static void damage_costs_only_what_it_hit(void **state)
{
	struct life *l = *state;

	for (int i = 0; i < 4; i++)
		life_commit(l, 4, 0);
	assert_int_equal(count_live(l), 16);
	/* The header of one message, the body of another. */
	overwrite(l, l->messages[3].segment->number, l->messages[3].offset, 20);
	overwrite(l, l->messages[7].segment->number, l->messages[7].offset + 100, 20);
	restart(l);
	assert_int_equal(count_live(l), 14);
	assert_false(l->messages[3].live);
	assert_false(l->messages[7].live);
	assert_int_equal(l->damages, 1);
	assert_int_equal(count_files(l, "damaged-"), 1);

	/* What was reported and kept once is not reported again. */
	restart(l);
	assert_int_equal(count_live(l), 14);
	assert_int_equal(l->damages, 0);
}

static void half_a_header_is_enough(void **state)
{
	struct life *l = *state;

	life_commit(l, 3, 0);
	overwrite(l, l->messages[0].segment->number, 0, 512);
	restart(l);
	assert_int_equal(count_live(l), 3);
}

static void a_segment_without_header_is_kept_and_reported(void **state)
{
	struct life *l = *state;

	life_commit(l, 3, 0);
	overwrite(l, l->messages[0].segment->number, 0, 4096);
	restart(l);
	assert_int_equal(count_live(l), 0);
	assert_int_equal(l->damages, 1);
	assert_int_equal(count_files(l, "damaged-"), 1);
}

static void an_unfinished_batch_is_cut_off(void **state)
{
	struct life *l = *state;

	life_commit(l, 3, 0);
	/* As if the next batch had arrived in part: nothing of it was acknowledged. */
	overwrite(l, l->messages[2].segment->number, l->messages[2].segment->end, 700);
	restart(l);
	assert_int_equal(count_live(l), 3);
	assert_int_equal(l->damages + l->torn, 0);
	life_commit(l, 3, 0);
	restart(l);
	assert_int_equal(count_live(l), 6);
}

static void a_record_inside_a_body_is_not_believed(void **state)
{
	struct life *l = *state;
	char forged[JOURNAL_RECORD_HEADER + 8] = { 0 };
	struct journal_record record = { .type = JOURNAL_MESSAGE, .salt = 4711, .id = 2 };
	struct journal_batch b;
	struct journal_append a = { .type = JOURNAL_MESSAGE, .id = 1, .piece_count = 1 };

	life_commit(l, 0, 0);
	journal_record_write(&record, forged);
	a.pieces[0] = journal_piece_bytes(str_of(forged, sizeof(forged)));
	journal_batch_init(&b);
	list_append(&b.appends, &a.link);
	journal_commit(l->journal, &b);
	journal_batch_finish(l->journal, &b);
	overwrite(l, a.segment->number, a.offset, 8);
	restart(l);
	assert_int_equal(count_live(l), 0);
}

static void nothing_of_a_failed_sync_comes_back(void **state)
{
	struct life *l = *state;

	life_commit(l, 3, 0);
	disk_fail(2, 1, EIO); /* the write succeeds, the fdatasync does not */
	life_commit(l, 2, 0);
	assert_true(l->messages[3].refused && l->messages[4].refused);
	life_commit(l, 2, 0);
	assert_false(l->messages[5].refused);
	assert_int_not_equal(l->messages[5].segment->number, l->messages[2].segment->number);
	restart(l);
	assert_int_equal(count_live(l), 5);
	assert_false(l->messages[3].live);
	assert_int_equal(l->damages + l->torn, 0);
}

static void a_full_disk_refuses_messages_and_takes_marks(void **state)
{
	struct life *l = *state;

	life_commit(l, 3, 0);
	disk_set_full(true);
	size_t before = l->count;
	while (!l->messages[l->count - 1].refused)
		life_commit(l, 1, 0);
	assert_true(l->count > before);
	life_commit(l, 0, 8);
	size_t live = count_live(l);
	assert_true(live < l->count - 1);

	disk_set_full(false);
	life_commit(l, 1, 0);
	assert_false(l->messages[l->count - 1].refused);
	restart(l);
	assert_int_equal(count_live(l), live + 1);
}

static int commit_one(struct life *l, struct journal_append *a)
{
	struct journal_batch b;

	journal_batch_init(&b);
	list_append(&b.appends, &a->link);
	journal_commit(l->journal, &b);
	journal_batch_finish(l->journal, &b);
	list_remove(&a->link);
	return a->result;
}

static struct journal_append mark_of(uint64_t id, char bytes[JOURNAL_MARK_SIZE])
{
	struct journal_append a = { .type = JOURNAL_MARKS, .relaxed = true };

	journal_mark_write(&(struct journal_mark){ .id = id, .recipient = JOURNAL_MARK_ALL },
			   bytes);
	a.pieces[a.piece_count++] = journal_piece_bytes(str_of(bytes, JOURNAL_MARK_SIZE));
	return a;
}

/* What nobody waits for is written at once and synced with what comes next. */
static void relaxed_records_share_the_sync_of_the_next(void **state)
{
	struct life *l = *state;
	char bytes[JOURNAL_MARK_SIZE];
	struct journal_batch b;

	life_commit(l, 3, 0);
	unsigned syncs = disk_syncs();
	struct journal_append mark = mark_of(l->messages[1].id, bytes);
	assert_int_equal(commit_one(l, &mark), JOURNAL_WRITTEN);
	assert_int_equal(disk_syncs(), syncs);

	struct journal_append message = { .type = JOURNAL_MESSAGE, .id = 1 };
	message.pieces[message.piece_count++] = journal_piece_bytes(STR("body"));
	journal_batch_init(&b);
	list_append(&b.loose, &mark.link);
	list_append(&b.appends, &message.link);
	journal_commit(l->journal, &b);
	journal_batch_finish(l->journal, &b);
	assert_int_equal(disk_syncs(), syncs + 1);
	assert_int_equal(mark.result, 0);
	assert_int_equal(message.result, 0);
	list_remove(&mark.link);
	list_remove(&message.link);
}

static void relaxed_records_outlive_the_process(void **state)
{
	struct life *l = *state;
	char bytes[JOURNAL_MARK_SIZE];

	life_commit(l, 3, 0);
	struct journal_append mark = mark_of(l->messages[1].id, bytes);
	assert_int_equal(commit_one(l, &mark), JOURNAL_WRITTEN);
	l->messages[1].live = false;
	l->messages[1].marked_at = l->messages[1].mark_sent_at = 0;
	list_remove(&l->messages[1].link);
	restart(l);
	assert_int_equal(count_live(l), 2);
}

static void a_sync_that_fails_is_told_to_all_it_was_for(void **state)
{
	struct life *l = *state;
	char bytes[JOURNAL_MARK_SIZE];
	struct journal_batch b;

	life_commit(l, 3, 0);
	struct journal_append mark = mark_of(l->messages[1].id, bytes);
	assert_int_equal(commit_one(l, &mark), JOURNAL_WRITTEN);
	journal_batch_init(&b);
	list_append(&b.loose, &mark.link);
	b.sync = true;
	disk_fail(1, 1, EIO);
	journal_commit(l->journal, &b);
	journal_batch_finish(l->journal, &b);
	list_remove(&mark.link);
	disk_mend();
	assert_int_equal(mark.result, -EIO);
	restart(l);
	assert_int_equal(count_live(l), 3);
}

/* A message larger than a segment gets one of its own, of a size that nobody chose. */
static void marks_end_with_the_segment_whatever_its_size(void **state)
{
	struct life *l = *state;
	static char body[100000];
	char mark[JOURNAL_MARK_SIZE];

	journal_mark_write(&(struct journal_mark){ .id = 1, .recipient = 0 }, mark);
	for (size_t n = 90000; n < 90512; n += 8) {
		struct journal_append m = { .type = JOURNAL_MESSAGE, .id = n };
		m.pieces[m.piece_count++] = journal_piece_bytes(str_of(body, n));
		assert_int_equal(commit_one(l, &m), 0);
		uint64_t end = l->journal->w.size;
		for (int i = 0; i < 12; i++) {
			struct journal_append a = { .type = JOURNAL_MARKS };
			a.pieces[a.piece_count++] = journal_piece_bytes(str_of(mark, sizeof(mark)));
			assert_int_equal(commit_one(l, &a), 0);
			if (a.segment == m.segment)
				assert_true(a.offset + journal_record_size(sizeof(mark)) <= end);
		}
	}
}

static void a_segment_that_could_not_be_begun_leaves_no_file(void **state)
{
	struct life *l = *state;

	for (int i = 0; i < 10; i++) {
		disk_fail(4, 1, ENOSPC); /* its first block */
		life_commit(l, 1, 0);
		assert_true(l->messages[l->count - 1].refused);
	}
	disk_mend();
	assert_int_equal(count_files(l, ".spare"), 0);
	assert_int_equal(count_files(l, ".segment"), 0);
	life_commit(l, 1, 0);
	assert_false(l->messages[l->count - 1].refused);
}

static void a_second_process_is_kept_out(void **state)
{
	struct life *l = *state;
	struct journal *second;
	struct err err;

	assert_int_equal(journal_open(&l->config, &second, &err), -EBUSY);
	assert_string_equal(err.text, "journal: in use by another process");
}

/* Fail every single call of a life once, in turn. */
static void any_call_may_fail(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth < 300; nth++) {
		struct life l;
		life_init(&l, 7);
		assert_int_equal(life_open(&l, disk_begin()), 0);
		disk_fail(nth, 1, nth % 2 ? EIO : ENOSPC);
		for (int i = 0; i < 30; i++)
			life_commit(&l, 3, 4);
		disk_mend();
		life_commit(&l, 1, 0);
		assert_false(l.messages[l.count - 1].refused);

		size_t all = disk_record_length();
		restart(&l);
		assert_int_equal(l.damages, 0);
		life_check_promises(&l, all);
		life_close(&l);
		life_done(&l);
		disk_end();
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_are_there_after_a_restart),
		TEST(one_commit_is_one_sync),
		TEST(small_commits_share_the_filling_of_new_blocks),
		TEST(finished_messages_do_not_come_back),
		TEST(done_segments_go_and_live_ones_shrink),
		TEST(a_large_body_streams_from_its_file),
		TEST(a_body_shorter_than_promised_fails_alone),
		TEST(damage_costs_only_what_it_hit),
		TEST(half_a_header_is_enough),
		TEST(a_segment_without_header_is_kept_and_reported),
		TEST(an_unfinished_batch_is_cut_off),
		TEST(a_record_inside_a_body_is_not_believed),
		TEST(nothing_of_a_failed_sync_comes_back),
		TEST(a_full_disk_refuses_messages_and_takes_marks),
		TEST(relaxed_records_share_the_sync_of_the_next),
		TEST(relaxed_records_outlive_the_process),
		TEST(a_sync_that_fails_is_told_to_all_it_was_for),
		TEST(marks_end_with_the_segment_whatever_its_size),
		TEST(a_segment_that_could_not_be_begun_leaves_no_file),
		TEST(a_second_process_is_kept_out),
		cmocka_unit_test(any_call_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
