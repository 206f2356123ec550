/* The table of a mailbox's messages. */
#include "store/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/store.h"

#define MANY 2000

static struct store_rec *add(struct store_messages *m, uint32_t uid, const char *name,
			     uint8_t flags)
{
	struct store_rec rec = { .uid = uid, .flags = flags, .size = 9, .bare = 1 };
	struct store_rec_strings strings = { .name = str_from(name) };

	return store_messages_add(m, &rec, &strings);
}

static void fill(struct store_messages *m)
{
	char name[40];

	store_messages_init(m);
	for (uint32_t i = 1; i <= MANY; i++) {
		snprintf(name, sizeof(name), "%u.M1.host,S=%u", i, i);
		add(m, i * 3, name, i % 2 ? STORE_SEEN : 0);
	}
}

static void records_are_found_by_uid_name_and_unique_part(void **state)
{
	struct store_messages m;
	char name[40];
	uint32_t hint = 0;

	(void)state;
	fill(&m);
	for (uint32_t i = 1; i <= MANY; i++) {
		const struct store_rec *r = store_messages_by_uid(&m, i * 3);
		assert_non_null(r);
		snprintf(name, sizeof(name), "%u.M1.host,S=%u", i, i);
		assert_true(str_eq(store_rec_name(&m, r), str_from(name)));
		assert_ptr_equal(store_messages_by_name(&m, str_from(name)), r);
		assert_ptr_equal(store_messages_by_uid_near(&m, i * 3, &hint), r);
		snprintf(name, sizeof(name), "%u.M1.host", i);
		assert_ptr_equal(store_messages_by_unique(&m, str_from(name)), r);
		assert_null(store_messages_by_name(&m, str_from(name)));
		assert_null(store_messages_by_uid(&m, i * 3 + 1));
		assert_int_equal(store_messages_from_uid(&m, i * 3 - 1), i - 1);
	}
	assert_int_equal(store_messages_from_uid(&m, MANY * 3 + 1), MANY);
	store_messages_done(&m);
}

static void the_sums_follow_every_change(void **state)
{
	struct store_messages m;

	(void)state;
	fill(&m);
	assert_int_equal(m.unseen, MANY / 2);
	assert_int_equal(m.bytes, MANY * 10);
	struct store_rec *r = store_messages_by_uid(&m, 3);
	store_messages_set_flags(&m, r, STORE_DELETED);
	store_messages_set_sizes(&m, r, 99, 100);
	store_messages_set_recent(&m, r, true);
	assert_int_equal(m.unseen, MANY / 2 + 1);
	assert_int_equal(m.deleted, 1);
	assert_int_equal(m.recent, 1);
	assert_int_equal(m.bytes, MANY * 10 + 90);
	store_messages_remove(&m, r);
	assert_int_equal(m.unseen, MANY / 2);
	assert_int_equal(m.deleted, 0);
	assert_int_equal(m.recent, 0);
	assert_int_equal(m.bytes, (MANY - 1) * 10);
	store_messages_set_sizes(&m, store_messages_by_uid(&m, 6), 5, STORE_UNKNOWN);
	assert_int_equal(m.bytes, (MANY - 2) * 10 + 5);
	store_messages_done(&m);
}

static void removed_records_are_not_found_before_and_after_packing(void **state)
{
	struct store_messages m;
	char name[40];

	(void)state;
	fill(&m);
	for (uint32_t i = 1; i <= MANY; i += 2)
		store_messages_remove(&m, store_messages_by_uid(&m, i * 3));
	for (int packed = 0; packed < 2; packed++) {
		assert_int_equal(store_messages_count(&m), MANY / 2);
		for (uint32_t i = 1; i <= MANY; i++) {
			snprintf(name, sizeof(name), "%u.M1.host,S=%u", i, i);
			const struct store_rec *r = store_messages_by_name(&m, str_from(name));
			assert_ptr_equal(store_messages_by_uid(&m, i * 3), r);
			assert_int_equal(r == NULL, i % 2);
		}
		size_t before = m.names->used;
		store_messages_pack(&m, true);
		assert_int_equal(m.n, MANY / 2);
		assert_true(packed || m.names->used < before);
	}
	/* A name that is free again may be taken again. */
	struct store_rec *again = add(&m, MANY * 3 + 1, "1.M1.host,S=1", 0);
	assert_ptr_equal(store_messages_by_name(&m, STR("1.M1.host,S=1")), again);
	store_messages_done(&m);
}

static void suffixes_and_fields_stay_with_their_record(void **state)
{
	struct store_rec rec = { .uid = 1 };
	struct store_rec_strings strings = {
		.name = STR("a,S=1"), .suffix = STR(":2,SF"), .ext = STR("P123 W5"), .exact = true
	};
	struct store_messages m;

	(void)state;
	store_messages_init(&m);
	struct store_rec *r = store_messages_add(&m, &rec, &strings);
	assert_true(str_eq(store_rec_suffix(&m, r), strings.suffix));
	assert_true(str_eq(store_rec_ext(&m, r), strings.ext));
	store_messages_set_suffix(&m, r, STR(""), true);
	assert_int_equal(store_rec_suffix(&m, r).n, 0);
	assert_true(r->state & STORE_REC_EXACT);
	store_messages_set_suffix(&m, r, STR_NONE, false);
	assert_false(r->state & STORE_REC_EXACT);
	assert_true(str_eq(store_rec_ext(&m, r), strings.ext));
	assert_true(str_eq(store_rec_name(&m, r), strings.name));
	store_messages_pack(&m, true);
	r = store_messages_by_uid(&m, 1);
	assert_true(str_eq(store_rec_ext(&m, r), strings.ext));
	store_messages_done(&m);
}

static int no_names(void *ctx, char *to, size_t n)
{
	(void)ctx;
	memset(to, 0, n);
	return 0;
}

static void a_table_that_was_adopted_grows(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 4; n++) {
		struct store_messages m;
		struct store_rec *v = calloc(n + 1, sizeof(*v));
		for (uint32_t i = 0; i < n; i++)
			v[i].uid = i + 1;
		store_messages_init(&m);
		store_messages_adopt(&m, v, n, &(struct store_names_source){ no_names, NULL, 1 });
		for (uint32_t i = n; i < 20; i++)
			add(&m, i + 1, "x", 0);
		assert_int_equal(store_messages_count(&m), 20);
		assert_true(m.cap >= m.n);
		store_messages_done(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_found_by_uid_name_and_unique_part),
		cmocka_unit_test(the_sums_follow_every_change),
		cmocka_unit_test(removed_records_are_not_found_before_and_after_packing),
		cmocka_unit_test(suffixes_and_fields_stay_with_their_record),
		cmocka_unit_test(a_table_that_was_adopted_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
