#include "store/fts/db.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct index {
	char dir[64], path[96];
	struct fts_db db;
	struct arena a;
	struct err err;
};

static int index_setup(void **state)
{
	struct index *x = calloc(1, sizeof(*x));

	snprintf(x->dir, sizeof(x->dir), "/tmp/posthorn-fts-XXXXXX");
	if (!mkdtemp(x->dir))
		return -1;
	snprintf(x->path, sizeof(x->path), "%s/text.db", x->dir);
	*state = x;
	return fts_db_open(&x->db, x->path, true, &x->err);
}

static int index_teardown(void **state)
{
	struct index *x = *state;

	fts_db_close(&x->db);
	fts_db_remove(x->path);
	rmdir(x->dir);
	arena_done(&x->a);
	free(x);
	return 0;
}

static void add(struct index *x, int64_t id, const char *head, const char *body)
{
	struct fts_text t = { id, str_from(head), str_from(body), id == 9 };

	assert_int_equal(fts_db_add(&x->db, &t, &x->err), 0);
}

static void assert_found(struct index *x, const char *text, bool heads, const char *want)
{
	struct fts_query q = { str_from(text), heads };
	struct fts_ids ids;
	struct buf b;

	assert_int_equal(fts_db_find(&x->db, &q, &x->a, &ids, &x->err), 0);
	buf_init(&b, &x->a, 1000);
	for (size_t i = 0; i < ids.n; i++)
		buf_printf(&b, "%lld ", (long long)ids.v[i]);
	assert_string_equal(buf_cstr(&b), want);
}

static void a_text_is_found_wherever_it_stands(void **state)
{
	struct index *x = *state;

	add(x, 5, "SUBJECT: WALDO\n", "THE QUICK \"BROWN\" FOX\n");
	add(x, 2, "", "QUI ICK FOXES\n");
	add(x, 9, "", "\xd0\x9f\xd0\xa0\xd0\x98\n");
	assert_found(x, "QUICK", false, "5 ");
	assert_found(x, "FOX", false, "2 5 ");
	assert_found(x, "\"BROWN\"", false, "5 ");
	assert_found(x, "WALDO", false, "");
	assert_found(x, "WALDO", true, "5 ");
	assert_found(x, "\xd0\x9f\xd0\xa0\xd0\x98", false, "9 ");
	assert_found(x, "quick", false, "");
	assert_found(x, "QUICK OR FOX", false, "");
}

static void merging_ends_and_loses_nothing(void **state)
{
	struct index *x = *state;
	int r = 1;

	for (int i = 1; i < 40; i++)
		add(x, i, "", i % 2 ? "ODD NUMBER" : "EVEN NUMBER");
	for (int i = 0; i < 100 && r == 1; i++)
		r = fts_db_merge(&x->db, i == 0, &x->err);
	assert_int_equal(r, 0);
	assert_found(x, "EVEN", false, "2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 32 34 36 38 ");
}

static void what_is_known_is_told_and_kept(void **state)
{
	struct index *x = *state;
	struct fts_known known;
	uint8_t guid[16] = { 1 };
	uint32_t uid;

	add(x, 9, "", "ONE");
	add(x, 3, "", "TWO");
	assert_int_equal(fts_db_set_box(&x->db, guid, 77, &x->err), 0);
	fts_db_close(&x->db);
	assert_int_equal(fts_db_open(&x->db, x->path, false, &x->err), 0);
	assert_int_equal(fts_db_known(&x->db, &x->a, &known, &x->err), 0);
	assert_int_equal(known.all.n, 2);
	assert_true(fts_ids_has(&known.all, 3) && fts_ids_has(&known.all, 9));
	assert_false(fts_ids_has(&known.all, 4));
	assert_int_equal(known.cut.n, 1);
	assert_int_equal(fts_db_has(&x->db, 3, &x->err), 1);
	assert_int_equal(fts_db_has(&x->db, 4, &x->err), 0);
	assert_int_equal(fts_db_box(&x->db, guid, &uid, &x->err), 0);
	assert_int_equal(uid, 77);
	guid[0] = 2;
	assert_int_equal(fts_db_box(&x->db, guid, &uid, &x->err), 0);
	assert_int_equal(uid, 0);
}

static void what_is_not_committed_is_not_there(void **state)
{
	struct index *x = *state;

	assert_int_equal(fts_db_begin(&x->db, &x->err), 0);
	add(x, 1, "", "LOST");
	fts_db_close(&x->db);
	assert_int_equal(fts_db_open(&x->db, x->path, false, &x->err), 0);
	assert_found(x, "LOST", false, "");
	assert_int_equal(fts_db_has(&x->db, 1, &x->err), 0);
}

static void a_missing_index_is_not_made_by_looking(void **state)
{
	struct index *x = *state;

	fts_db_close(&x->db);
	fts_db_remove(x->path);
	assert_int_equal(fts_db_open(&x->db, x->path, false, &x->err), -ENOENT);
	assert_int_equal(access(x->path, F_OK), -1);
}

static void marks_tell_how_far_each_mailbox_is(void **state)
{
	struct index *x = *state;
	const uint8_t one[16] = { 1 }, two[16] = { 2 }, none[16] = { 3 };
	struct fts_marks marks;

	assert_int_equal(fts_marks(x->path, &x->a, &marks, &x->err), 0);
	assert_int_equal(marks.n, 0);
	assert_int_equal(fts_db_set_box(&x->db, one, 7, &x->err), 0);
	assert_int_equal(fts_db_set_box(&x->db, two, UINT32_MAX, &x->err), 0);
	assert_int_equal(fts_marks(x->path, &x->a, &marks, &x->err), 0);
	assert_int_equal(marks.n, 2);
	assert_int_equal(fts_marks_uid(&marks, one), 7);
	assert_int_equal(fts_marks_uid(&marks, two), UINT32_MAX);
	assert_int_equal(fts_marks_uid(&marks, none), 0);
	assert_int_equal(fts_marks("/nowhere/text.db", &x->a, &marks, &x->err), -ENOENT);
}

static void what_is_retired_is_not_used_any_more(void **state)
{
	struct index *x = *state;
	struct fts_db other;

	assert_int_equal(fts_retire(x->path, &x->err), 0);
	assert_int_equal(fts_retire(x->path, &x->err), 0);
	assert_int_equal(fts_db_open(&other, x->path, false, &x->err), -ENOENT);
	assert_int_equal(fts_db_open(&other, x->path, true, &x->err), -EBADMSG);
	assert_string_equal(x->err.text, "it is asked for");
	assert_int_equal(fts_retire("/nowhere/text.db", &x->err), 0);
}

static void garbage_is_noticed(void **state)
{
	struct index *x = *state;

	fts_db_close(&x->db);
	int fd = open(x->path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	char garbage[8192] = "no database";
	assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
	close(fd);
	assert_int_equal(fts_db_open(&x->db, x->path, true, &x->err), -EBADMSG);
}

/* A trigram has three characters; texts in the index are separated by line ends. */
static void short_texts_and_line_ends_cannot_be_found(void **state)
{
	(void)state;
	assert_true(fts_can_find(STR("ABC")));
	assert_false(fts_can_find(STR("AB")));
	assert_false(fts_can_find(STR("")));
	assert_false(fts_can_find(STR("\xc3\xa4\xc3\xb6")));
	assert_false(fts_can_find(STR("AB\nC")));
	assert_false(fts_can_find(STR("AB\0C")));
}

static void a_message_is_known_by_its_name_before_the_sizes(void **state)
{
	(void)state;
	assert_true(fts_id(STR("1.M2.host,S=5,W=6")) == fts_id(STR("1.M2.host")));
	assert_true(fts_id(STR("1.M2.host")) != fts_id(STR("1.M3.host")));
	assert_true(fts_id(STR("1.M2.host")) >= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, index_setup, index_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_text_is_found_wherever_it_stands),
		TEST(merging_ends_and_loses_nothing),
		TEST(what_is_known_is_told_and_kept),
		TEST(what_is_not_committed_is_not_there),
		TEST(a_missing_index_is_not_made_by_looking),
		TEST(marks_tell_how_far_each_mailbox_is),
		TEST(what_is_retired_is_not_used_any_more),
		TEST(garbage_is_noticed),
		cmocka_unit_test(short_texts_and_line_ends_cannot_be_found),
		cmocka_unit_test(a_message_is_known_by_its_name_before_the_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
