/* A mailbox that is kept in an index: what survives, and what damage does. */
#include "account.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "mime/facts.h"

#define MSG "Subject: x\r\n\r\nhello\r\n"

static const char *index_path(struct account *t)
{
	glob_t g;
	char pattern[160];
	snprintf(pattern, sizeof(pattern), "%s/example.org/user/*.index", t->index);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_int_equal(g.gl_pathc, 1);
	const char *path = arena_cstr(&t->a, str_from(g.gl_pathv[0]));
	globfree(&g);
	return path;
}

static uint64_t modseq_of(struct account *t, struct store_view *v)
{
	struct store_status st;
	(void)t;
	store_view_status(v, &st);
	return st.modseq;
}

static void fill(struct account *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		account_append(t, "INBOX", MSG, 0);
}

static void flags_and_modseqs_survive_a_restart(void **state)
{
	struct account *t = *state;
	fill(t, 3);
	struct store_view *v = account_view(t, "INBOX", 0);
	account_change(t, v, 2, STORE_FLAGGED);
	uint64_t modseq = modseq_of(t, v), of[3];
	for (uint32_t i = 0; i < 3; i++)
		of[i] = account_message(t, v, i + 1).modseq;
	assert_true(of[1] > of[2]);
	store_view_close(v);

	account_reopen(t);
	assert_true(store_has_modseq(t->store));
	v = account_view(t, "INBOX", 0);
	assert_int_equal(modseq_of(t, v), modseq);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(account_message(t, v, i + 1).modseq, of[i]);
	assert_int_equal(account_message(t, v, 2).flags & STORE_FLAGS_ALL, STORE_FLAGGED);
	assert_int_equal(t->reports, 0);
	store_view_close(v);
}

/* Run in a child that ends without closing anything. */
static void in_a_process_that_dies(struct account *t, void (*fn)(struct account *t))
{
	int status;
	account_close(t);
	pid_t child = fork();
	if (child == 0) {
		account_open(t);
		fn(t);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	account_open(t);
}

static void flag_and_expunge(struct account *t)
{
	struct store_view *v = account_view(t, "INBOX", 0);
	account_change(t, v, 1, STORE_FLAGGED | STORE_SEEN);
	account_change(t, v, 2, STORE_DELETED);
	if (store_view_expunge(v, NULL, &t->err) != 1)
		_exit(1);
	/* The directories know nothing of it. */
	if (access(arena_printf(&t->a, "%s/cur", t->path).p, F_OK) < 0)
		_exit(2);
}

static void what_was_not_settled_when_the_process_died_is_settled_later(void **state)
{
	struct account *t = *state;
	fill(t, 3);
	in_a_process_that_dies(t, flag_and_expunge);

	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 2);
	assert_int_equal(store_view_uid(v, 2), 3);
	assert_int_equal(account_message(t, v, 1).flags & STORE_FLAGS_ALL,
			 STORE_FLAGGED | STORE_SEEN);
	assert_int_equal(account_count_files(t, "cur") + account_count_files(t, "new"), 2);
	store_view_close(v);

	/* Without the index the directories alone tell the same. */
	assert_int_equal(unlink(index_path(t)), 0);
	account_reopen(t);
	v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 2);
	assert_int_equal(account_message(t, v, 1).flags & STORE_FLAGS_ALL,
			 STORE_FLAGGED | STORE_SEEN);
	store_view_close(v);
}

static void only_flag(struct account *t)
{
	struct store_view *v = account_view(t, "INBOX", 0);
	account_settle(t);
	account_change(t, v, 1, STORE_FLAGGED);
}

static void a_flag_of_another_program_and_one_of_ours_are_both_kept(void **state)
{
	struct account *t = *state;
	fill(t, 1);
	in_a_process_that_dies(t, only_flag);
	const char *file = account_only_file(t, "cur");
	char to[400], from[400];
	snprintf(from, sizeof(from), "%s/%s", t->path, file);
	snprintf(to, sizeof(to), "%s/%sR", t->path, file);
	assert_int_equal(rename(from, to), 0);

	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(account_message(t, v, 1).flags & STORE_FLAGS_ALL,
			 STORE_FLAGGED | STORE_ANSWERED);
	file = account_only_file(t, "cur");
	assert_non_null(strstr(file, ":2,FR"));
	store_view_close(v);
}

static void an_expunged_message_another_program_renames_stays_expunged(void **state)
{
	struct account *t = *state;
	fill(t, 2);
	struct store_view *v = account_view(t, "INBOX", 0);
	account_settle(t);
	struct store_uids set = uids_of(t, 1, 1);
	assert_int_equal(store_view_remove(v, &set, &t->err), 1);
	glob_t g;
	char pattern[128];
	snprintf(pattern, sizeof(pattern), "%s/cur/*", t->path);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct str to = arena_printf(&t->a, "%sF", g.gl_pathv[i]);
		assert_int_equal(rename(g.gl_pathv[i], to.p), 0);
	}
	globfree(&g);
	account_settle(t);
	account_sync(t, v, 0);
	assert_int_equal(store_view_count(v), 1);
	assert_int_equal(account_message(t, v, 1).flags & STORE_FLAGS_ALL, STORE_FLAGGED);
	assert_int_equal(account_count_files(t, "cur"), 1);
	store_view_close(v);
}

/* COPY keeps the name of the file: the copy must not fall to the removal of the original. */
static void a_message_that_comes_back_is_not_removed_with_its_original(void **state)
{
	struct account *t = *state;
	struct store_copied done;
	fill(t, 1);
	assert_int_equal(store_box_create(t->store, STR("A"), &t->err), 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	struct store_copy_args args = { .to = STR("A"), .a = &t->a };
	assert_int_equal(store_view_copy(v, &args, &done, &t->err), 0);
	assert_int_equal(store_view_remove(v, NULL, &t->err), 1);

	struct store_view *a = account_view(t, "A", 0);
	args.to = STR("INBOX");
	assert_int_equal(store_view_copy(a, &args, &done, &t->err), 0);
	account_settle(t);
	account_sync(t, v, 0);
	assert_int_equal(store_view_count(v), 1);
	assert_string_equal(account_text(t, v, 1).p, MSG);
	store_view_close(a);
	store_view_close(v);
}

static void a_mailbox_that_is_renamed_keeps_its_index(void **state)
{
	struct account *t = *state;
	assert_int_equal(store_box_create(t->store, STR("A"), &t->err), 0);
	account_append(t, "A", MSG, STORE_SEEN);
	struct store_view *v = account_view(t, "A", 0);
	account_change(t, v, 1, STORE_DRAFT);
	uint64_t modseq = account_message(t, v, 1).modseq;
	store_view_close(v);
	assert_int_equal(store_box_rename(t->store, STR("A"), STR("B.C"), &t->err), 0);
	account_reopen(t);
	v = account_view(t, "B.C", 0);
	assert_int_equal(account_message(t, v, 1).modseq, modseq);
	store_view_close(v);
}

static void the_file_does_not_grow_without_end(void **state)
{
	struct account *t = *state;
	struct stat st;
	fill(t, 20);
	struct store_view *v = account_view(t, "INBOX", 0);
	for (int i = 0; i < 4000; i++) {
		account_change(t, v, 1 + (uint32_t)i % 20, i & 1 ? STORE_SEEN : 0);
		account_change(t, v, 1 + (uint32_t)i % 20, i & 1 ? 0 : STORE_SEEN);
	}
	assert_int_equal(stat(index_path(t), &st), 0);
	assert_true(st.st_size < 400000);
	store_view_close(v);
}

static void another_process_uses_the_mailbox_without_the_index(void **state)
{
	struct account *t = *state;
	fill(t, 2);
	struct store_view *v = account_view(t, "INBOX", 0);
	account_settle(t);

	struct account other = *t;
	other.reports = 0;
	other.a = ARENA_INIT;
	account_open(&other);
	struct store_view *w = account_view(&other, "INBOX", 0);
	assert_int_equal(store_view_count(w), 2);
	account_change(&other, w, 1, STORE_FLAGGED);
	assert_int_equal(other.reports, 0);
	store_view_close(w);
	account_close(&other);
	arena_done(&other.a);

	account_sync(t, v, 0);
	assert_int_equal(account_message(t, v, 1).flags & STORE_FLAGS_ALL, STORE_FLAGGED);
	store_view_close(v);
}

static struct str read_index(struct account *t)
{
	struct str bytes;
	assert_int_equal(fd_read_file(index_path(t), &t->a, 1 << 20, &bytes, &t->err), 0);
	return bytes;
}

static void write_index(const char *path, struct str bytes)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, NULL), 0);
	close(fd);
}

/* Open with this index; what the directories know must be there whatever it says. */
static void open_and_compare(struct account *t)
{
	struct arena keep = t->a;
	t->a = ARENA_INIT;
	account_open(t);
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 5);
	for (uint32_t seq = 1; seq <= 5; seq++) {
		assert_int_equal(store_view_uid(v, seq), seq + (seq > 3));
		assert_int_equal(account_message(t, v, seq).flags & STORE_FLAGS_ALL,
				 seq == 2 ? STORE_FLAGGED : 0);
		assert_string_equal(account_text(t, v, seq).p, MSG);
	}
	store_view_close(v);
	account_close(t);
	arena_done(&t->a);
	t->a = keep;
}

static void damage_costs_nothing_but_the_index(void **state)
{
	struct account *t = *state;
	fill(t, 6);
	struct store_view *v = account_view(t, "INBOX", 0);
	account_change(t, v, 2, STORE_FLAGGED);
	struct store_uids set = uids_of(t, 4, 4);
	assert_int_equal(store_view_remove(v, &set, &t->err), 1);
	account_settle(t);
	store_view_close(v);
	const char *path = index_path(t);
	struct str good = read_index(t);
	account_close(t);

	char *bad = arena_alloc(&t->a, good.n);
	srand(7);
	for (size_t i = 0; i < 600; i++) {
		memcpy(bad, good.p, good.n);
		size_t n = i % 3 ? good.n : (size_t)rand() % good.n;
		for (int k = 0; i % 3 && k < 1 + (int)(i % 4); k++)
			bad[(size_t)rand() % n] ^= (char)(1 << rand() % 8);
		write_index(path, str_of(bad, n));
		open_and_compare(t);
	}
	assert_true(t->reports > 0);
	account_open(t);
}

/* Those that were given last may be on no disk after a power cut. */
static void uids_jump_after_another_boot(void **state)
{
	struct account *t = *state;
	struct store_status st;
	fill(t, 2);
	account_close(t);
	account_boot = STR("another");
	account_open(t);
	struct store_view *v = account_view(t, "INBOX", 0);
	store_view_status(v, &st);
	assert_true(st.uidnext > 1000);
	store_view_close(v);
	uint32_t uid = account_append(t, "INBOX", MSG, 0);
	account_reopen(t);
	assert_int_equal(account_append(t, "INBOX", MSG, 0), uid + 1);
	account_boot = STR_NONE;
}

static const char *subject_of(struct account *t, const char *box, uint32_t seq)
{
	struct mime_facts f;
	struct str envelope;
	struct store_view *v = account_view(t, box, 0);
	assert_int_equal(store_view_hot_facts(v, seq, &t->a, &f, &t->err), 0);
	const char *subject = arena_cstr(&t->a, mime_facts_key(&f, MIME_FACTS_SUBJECT));
	assert_int_equal(store_view_facts(v, seq, &t->a, &f, &t->err), 0);
	assert_int_equal(mime_facts_envelope(&f, &envelope), 0);
	assert_true(str_find(envelope, STR("\"")) >= 0);
	store_view_close(v);
	return subject;
}

/* The file is replaced by another of its size: whoever reads it says so. */
static void spoil_files(struct account *t, const char *dir)
{
	glob_t g;
	char pattern[128];
	account_settle(t);
	snprintf(pattern, sizeof(pattern), "%s/%s[cn][ue][rw]/[0-9]*", t->path, dir);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		int fd = open(g.gl_pathv[i], O_WRONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(pwrite(fd, "Subject: SPOILT", 15, 0), 15);
		close(fd);
	}
	globfree(&g);
}

static void facts_are_kept_from_the_moment_of_arrival(void **state)
{
	struct account *t = *state;
	struct store_copied done;
	account_deliver(t, "INBOX", "Subject: one two\r\nFrom: a@b.c\r\n\r\nx\r\n");
	account_append(t, "INBOX", "Subject: three four\r\n\r\nx\r\n", 0);
	assert_int_equal(store_box_create(t->store, STR("A"), &t->err), 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	struct store_copy_args args = { .to = STR("A"), .a = &t->a };
	assert_int_equal(store_view_copy(v, &args, &done, &t->err), 0);
	store_view_close(v);
	spoil_files(t, "");
	spoil_files(t, ".A/");
	for (int i = 0; i < 2; i++) {
		assert_string_equal(subject_of(t, "INBOX", 1), "ONE TWO");
		assert_string_equal(subject_of(t, "INBOX", 2), "THREE FOUR");
		assert_string_equal(subject_of(t, "A", 1), "ONE TWO");
		account_reopen(t);
	}
}

static uint64_t bytes_of_facts(struct account *t)
{
	glob_t g;
	char pattern[160];
	struct stat st;
	uint64_t sum = 0;
	snprintf(pattern, sizeof(pattern), "%s/example.org/user/*.[hc]o[tl]*", t->index);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		assert_int_equal(stat(g.gl_pathv[i], &st), 0);
		sum += (uint64_t)st.st_size;
	}
	globfree(&g);
	return sum;
}

static void facts_of_the_dead_go_in_the_end(void **state)
{
	struct account *t = *state;
	account_append(t, "INBOX", "Subject: the first\r\n\r\nx\r\n", 0);
	uint64_t one = bytes_of_facts(t);
	struct store_view *v = account_view(t, "INBOX", 0);
	for (int i = 0; i < 300; i++) {
		for (int k = 0; k < 10; k++)
			account_append(t, "INBOX", MSG, STORE_DELETED);
		account_sync(t, v, 0);
		assert_int_equal(store_view_expunge(v, NULL, &t->err), 10);
		account_sync(t, v, 0);
		account_settle(t);
	}
	account_append(t, "INBOX", "Subject: the last\r\n\r\nx\r\n", 0);
	store_view_close(v);
	account_settle(t);
	assert_true(bytes_of_facts(t) < 1200 * one);
	spoil_files(t, "");
	for (int i = 0; i < 2; i++) {
		assert_string_equal(subject_of(t, "INBOX", 1), "THE FIRST");
		assert_string_equal(subject_of(t, "INBOX", 2), "THE LAST");
		account_reopen(t);
	}
	assert_int_equal(t->reports, 0);
}

/* What the files of facts are damaged to, the message itself is asked. */
static void damaged_facts_are_made_again(void **state)
{
	struct account *t = *state;
	static const char *const files[] = { "hot", "cold" };
	char pattern[160];
	for (int i = 0; i < 20; i++)
		account_append(t, "INBOX", "Subject: as it is\r\n\r\nx\r\n", 0);
	srand(3);
	for (int round = 0; round < 40; round++) {
		glob_t g;
		account_close(t);
		snprintf(pattern, sizeof(pattern), "%s/example.org/user/*.%s", t->index,
			 files[round % 2]);
		assert_int_equal(glob(pattern, 0, NULL, &g), 0);
		struct str bytes;
		assert_int_equal(fd_read_file(g.gl_pathv[0], &t->a, 1 << 20, &bytes, &t->err), 0);
		char *bad = arena_alloc(&t->a, bytes.n);
		memcpy(bad, bytes.p, bytes.n);
		for (int k = 0; k < 50; k++)
			bad[(size_t)rand() % bytes.n] ^= (char)(1 << rand() % 8);
		write_index(g.gl_pathv[0],
			    str_of(bad, round % 5 ? bytes.n : (size_t)rand() % bytes.n));
		globfree(&g);
		account_open(t);
		for (uint32_t seq = 1; seq <= 20; seq++)
			assert_string_equal(subject_of(t, "INBOX", seq), "AS IT IS");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, account_setup, account_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flags_and_modseqs_survive_a_restart),
		TEST(what_was_not_settled_when_the_process_died_is_settled_later),
		TEST(a_flag_of_another_program_and_one_of_ours_are_both_kept),
		TEST(an_expunged_message_another_program_renames_stays_expunged),
		TEST(a_message_that_comes_back_is_not_removed_with_its_original),
		TEST(a_mailbox_that_is_renamed_keeps_its_index),
		TEST(the_file_does_not_grow_without_end),
		TEST(another_process_uses_the_mailbox_without_the_index),
		TEST(damage_costs_nothing_but_the_index),
		TEST(uids_jump_after_another_boot),
		TEST(facts_are_kept_from_the_moment_of_arrival),
		TEST(facts_of_the_dead_go_in_the_end),
		TEST(damaged_facts_are_made_again),
	};
	account_with_index = true;
	return cmocka_run_group_tests_name("store/index", tests, NULL, NULL);
}
