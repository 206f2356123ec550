/* What an account stores, in sum. */
#include "account.h"

#include <stdio.h>
#include <unistd.h>

#define MSG "Subject: x\r\n\r\nhello\r\nworld\r\n"

static void usage_counts_wire_bytes_of_all_mailboxes(void **state)
{
	struct account *t = *state;
	struct store_usage u;
	assert_int_equal(store_usage(t->store, &u, &t->err), 0);
	for (int i = 0; i < 3; i++) {
		int fd = text_fd(STR(MSG));
		struct store_delivered done;
		struct store_delivery d = account_delivery(t, "Junk", fd, strlen(MSG));
		d.first_attempt = true;
		assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
		close(fd);
	}
	account_append(t, "INBOX", MSG, 0);
	assert_int_equal(store_usage(t->store, &u, &t->err), 0);
	assert_int_equal(u.messages, 4);
	assert_int_equal(u.bytes, 4 * strlen(MSG));

	struct store_view *v = account_view(t, "Junk", 0);
	assert_int_equal(store_view_remove(v, NULL, &t->err), 3);
	store_view_close(v);
	assert_int_equal(store_usage(t->store, &u, &t->err), 0);
	assert_int_equal(u.bytes, strlen(MSG));
}

/* Of Maildir++: it is the sum before our changes. */
static void the_sum_of_another_program_goes(void **state)
{
	struct account *t = *state;
	char path[160];

	snprintf(path, sizeof(path), "%s/maildirsize", t->path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("1000000S\n5000 3\n", f);
	assert_int_equal(fclose(f), 0);
	account_reopen(t);
	assert_int_equal(access(path, F_OK), -1);
}

/* Whatever happens to be loaded, and without looking at the disk each time. */
static void usage_follows_every_change(void **state)
{
	struct account *t = *state;
	struct store_usage use;
	uint64_t one = strlen(MSG), want = 0;
	assert_int_equal(store_usage(t->store, &use, &t->err), 0);
	assert_int_equal(use.messages, 0);
	for (int i = 0; i < 300; i++) {
		char box[24];
		snprintf(box, sizeof(box), "b%d", i % 3 ? i : 0);
		account_deliver(t, box, MSG);
		want++;
		assert_int_equal(store_usage(t->store, &use, &t->err), 0);
		assert_int_equal(use.messages, want);
		assert_int_equal(use.bytes, want * one);
	}
	struct store_view *v = account_view(t, "b0", 0);
	struct store_uids set = uids_of(t, 1, 10);
	assert_int_equal(store_view_remove(v, &set, &t->err), 10);
	assert_int_equal(store_usage(t->store, &use, &t->err), 0);
	assert_int_equal(use.messages, want - 10);
	store_view_close(v);
	assert_int_equal(store_box_delete(t->store, STR("b1"), &t->err), 0);
	assert_int_equal(store_box_rename(t->store, STR("b2"), STR("c"), &t->err), 0);
	assert_int_equal(store_usage(t->store, &use, &t->err), 0);
	assert_int_equal(use.messages, want - 11);
	account_reopen(t);
	assert_int_equal(store_usage(t->store, &use, &t->err), 0);
	assert_int_equal(use.messages, want - 11);
	assert_int_equal(use.bytes, (want - 11) * one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, account_setup, account_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(usage_counts_wire_bytes_of_all_mailboxes),
		TEST(the_sum_of_another_program_goes),
		TEST(usage_follows_every_change),
	};
	int failed = cmocka_run_group_tests_name("store/usage", tests, NULL, NULL);
	account_with_index = true;
	return failed + cmocka_run_group_tests_name("store/usage with index", tests, NULL, NULL);
}
