/* Views on a mailbox, without a disk below it. */
#include "store/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct store_rec *add(struct store_box *b, uint32_t uid)
{
	char name[20];
	struct store_rec rec = { .uid = uid };

	snprintf(name, sizeof(name), "%u", uid);
	struct store_rec_strings strings = { .name = str_from(name) };
	return store_box_add(b, &rec, &strings, store_box_begin_change(b));
}

static struct store_events update(struct store_view *v, unsigned how, struct arena *a)
{
	struct store_events ev;

	store_view_update(v, how, a, &ev);
	return ev;
}

static void expunges_are_told_from_the_highest_number_down(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct store_box b;

	(void)state;
	store_box_init(&b);
	for (uint32_t uid = 1; uid <= 9; uid++)
		add(&b, uid * 10);
	struct store_view *v = store_view_new(&b, 0);
	uint64_t modseq = store_box_begin_change(&b);
	store_box_remove(&b, store_messages_by_uid(&b.messages, 20), modseq, false);
	store_box_remove(&b, store_messages_by_uid(&b.messages, 90), modseq, false);
	store_box_stamp(&b, store_messages_by_uid(&b.messages, 30), modseq);
	add(&b, 100);

	struct store_events ev = update(v, STORE_SYNC_KEEP_EXPUNGED, &a);
	assert_int_equal(ev.n, 1);
	assert_int_equal(ev.v[0].kind, STORE_EVENT_FLAGS);
	assert_int_equal(ev.v[0].seq, 3);
	assert_int_equal(ev.exists, 10);
	assert_null(store_view_rec(v, 2));

	ev = update(v, 0, &a);
	assert_int_equal(ev.n, 2);
	assert_int_equal(ev.v[0].seq, 9);
	assert_int_equal(ev.v[1].seq, 2);
	assert_int_equal(ev.exists, 8);
	assert_int_equal(store_view_uid(v, 2), 30);
	assert_int_equal(store_view_uid(v, 8), 100);
	assert_false(store_view_has_news(v));
	store_view_free(v);
	store_box_done(&b);
}

/* More changes than are remembered one by one. */
static void a_view_far_behind_compares_everything(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct store_box b;

	(void)state;
	store_box_init(&b);
	for (uint32_t uid = 1; uid <= 20; uid++)
		add(&b, uid);
	struct store_view *v = store_view_new(&b, 0);
	for (int i = 0; i < 2 * BOX_LOG_MAX; i++)
		store_box_stamp(&b, &b.messages.v[i % 10], store_box_begin_change(&b));
	store_box_remove(&b, store_messages_by_uid(&b.messages, 20), store_box_begin_change(&b),
			 false);

	struct store_events ev = update(v, 0, &a);
	assert_int_equal(ev.n, 11);
	assert_int_equal(ev.v[0].kind, STORE_EVENT_EXPUNGED);
	assert_int_equal(ev.v[0].seq, 20);
	for (uint32_t i = 1; i <= 10; i++)
		assert_int_equal(ev.v[i].seq, i);
	store_view_free(v);
	store_box_done(&b);
}

static void silent_changes_are_told_to_the_others_only(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct store_box b;

	(void)state;
	store_box_init(&b);
	add(&b, 1);
	struct store_view *own = store_view_new(&b, 0), *other = store_view_new(&b, 0);
	for (int i = 0; i < VIEW_OWN_MAX + 3; i++) {
		uint64_t modseq = store_box_begin_change(&b);
		store_box_stamp(&b, &b.messages.v[0], modseq);
		store_view_own_change(own, modseq);
	}
	assert_int_equal(update(own, 0, &a).n, 0);
	assert_int_equal(update(other, 0, &a).n, 1);
	store_view_free(own);
	store_view_free(other);
	store_box_done(&b);
}

static void a_message_that_turns_up_late_is_recent_to_nobody(void **state)
{
	struct store_message m;
	struct store_box b;

	(void)state;
	store_box_init(&b);
	add(&b, 1);
	add(&b, 2);
	struct store_view *v = store_view_new(&b, 0);
	store_box_set_recent(&b, store_messages_by_uid(&b.messages, 2));
	store_view_claim(v, store_messages_by_uid(&b.messages, 2));
	store_box_set_recent(&b, store_messages_by_uid(&b.messages, 1));
	store_view_claim(v, store_messages_by_uid(&b.messages, 1));
	assert_int_equal(v->nrecent, 1);
	assert_int_equal(b.messages.recent, 0);
	assert_int_equal(store_view_message(v, 1, &m), 0);
	assert_int_equal(m.flags, 0);
	store_view_free(v);
	store_box_done(&b);
}

static void change(struct store_view *v, uint32_t index)
{
	struct store_rec *r = &v->box->messages.v[index];
	uint64_t modseq = store_box_begin_change(v->box);
	store_view_before_own_change(v, r);
	store_box_stamp(v->box, r, modseq);
	store_view_own_change(v, modseq);
}

static void a_silent_change_does_not_hide_that_of_another_view(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct store_box b;

	(void)state;
	store_box_init(&b);
	for (uint32_t uid = 1; uid <= 3; uid++)
		add(&b, uid);
	struct store_view *v = store_view_new(&b, 0);
	store_box_stamp(&b, &b.messages.v[2], store_box_begin_change(&b));
	store_box_stamp(&b, &b.messages.v[1], store_box_begin_change(&b));
	for (uint32_t i = 3; i > 0; i--)
		change(v, i - 1);
	change(v, 1);
	struct store_events ev = update(v, 0, &a);
	assert_int_equal(ev.n, 2);
	assert_int_equal(ev.v[0].uid, 2);
	assert_int_equal(ev.v[1].uid, 3);
	change(v, 1);
	assert_int_equal(update(v, 0, &a).n, 0);
	store_view_free(v);
	store_box_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expunges_are_told_from_the_highest_number_down),
		cmocka_unit_test(a_view_far_behind_compares_everything),
		cmocka_unit_test(silent_changes_are_told_to_the_others_only),
		cmocka_unit_test(a_silent_change_does_not_hide_that_of_another_view),
		cmocka_unit_test(a_message_that_turns_up_late_is_recent_to_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
