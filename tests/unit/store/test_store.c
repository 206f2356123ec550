/* What every implementation of store.h has to do. Nothing here knows how mail is stored. */

#include "account.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "mime/facts.h"

#define MSG "Subject: x\r\n\r\nhello\r\nworld\r\n"

static void a_new_account_has_an_empty_inbox(void **state)
{
	struct account *t = *state;
	struct store_status st;
	struct store_view *v = account_view(t, "inbox", 0);

	assert_int_equal(store_view_count(v), 0);
	store_view_status(v, &st);
	assert_int_equal(st.uidnext, 1);
	assert_true(st.uidvalidity > 0);
	store_view_close(v);
}

/* RFC 3501 5.1 of INBOX itself; below it a second spelling would be a second tree. */
static void the_case_of_inbox_does_not_matter_below_it_either(void **state)
{
	struct account *t = *state;
	struct store_box_list l;

	assert_int_equal(store_box_create(t->store, STR("inbox.sub"), &t->err), 0);
	assert_int_equal(store_box_create(t->store, STR("INBOX.Sub"), &t->err), 0);
	assert_int_equal(store_box_create(t->store, STR("InBox.sub"), &t->err), -EEXIST);
	assert_int_equal(store_box_check(t->store, STR("INBOX.sub"), &t->err), 0);
	assert_int_equal(store_box_subscribe(t->store, STR("Inbox.sub"), true, &t->err), 0);
	account_deliver(t, "iNBOX.sub", MSG);
	struct store_view *v = account_view(t, "inbox.sub", 0);
	assert_int_equal(store_view_count(v), 1);
	assert_int_equal(
		store_box_rename(t->store, STR("inbox.sub"), STR("inbox.new.deep"), &t->err), 0);
	assert_true(str_eq(store_view_name(v), STR("INBOX.new.deep")));
	store_view_close(v);

	assert_int_equal(store_box_list(t->store, &t->a, &l, &t->err), 0);
	static const char *const want[] = { "INBOX", "INBOX.Sub", "INBOX.new", "INBOX.new.deep",
					    "INBOX.sub" };
	assert_int_equal(l.n, ARRAY_LEN(want));
	for (size_t i = 0; i < l.n; i++)
		assert_true(str_eq(l.v[i].name, str_from(want[i])));
	assert_int_equal(store_box_delete(t->store, STR("inbox.new.deep"), &t->err), 0);
}

static void delivered_text_comes_back_byte_for_byte(void **state)
{
	struct account *t = *state;
	static const char *const texts[] = {
		MSG,
		"no end of line",
		"",
		"\r\n",
		"bare\nLF\r\n",
		"cr\rinside\r\n",
		"doubled\r\r\n",
		"\r\n\r\nbare\n",
		"ends with cr\r",
		"\r\r\n",
		"\n",
		"a\r\nb\nc\r\r\nd",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		account_deliver(t, "INBOX", texts[i]);

	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), ARRAY_LEN(texts));
	for (uint32_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_string_equal(account_text(t, v, i + 1).p, texts[i]);
		assert_int_equal(account_message(t, v, i + 1).wire_size, strlen(texts[i]));
	}
	store_view_close(v);
}

static void appended_bare_line_feeds_become_line_ends(void **state)
{
	struct account *t = *state;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "a\nb\n", "a\r\nb\r\n" },
		{ "a\r\nb\n", "a\r\nb\r\n" },
		{ "a\r\r\nb\nc", "a\r\r\nb\r\nc" },
		{ "a\nb\r\r\nc\n", "a\r\nb\r\r\nc\r\n" },
	};
	struct store_view *v = account_view(t, "INBOX", 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		account_append(t, "INBOX", cases[i].in, 0);
		account_sync(t, v, 0);
		assert_string_equal(account_text(t, v, store_view_count(v)).p, cases[i].out);
	}
	store_view_close(v);
}

static void text_may_arrive_in_any_portions(void **state)
{
	struct account *t = *state;
	const char text[] = "one\r\ntwo\r\r\nthree\r\n\r\nfour\r";
	struct store_append *ap;
	struct store_appended done;
	struct store_append_meta m = { .date = 1000000000, .lines = STORE_LINES_BINARY };
	struct store_append_args args = { .a = &t->a };

	assert_int_equal(store_append_begin(t->store, STR("INBOX"), &ap, &t->err), 0);
	for (size_t step = 1; step < sizeof(text); step++) {
		assert_int_equal(store_append_message(ap, &m, &t->err), 0);
		for (size_t at = 0; at < sizeof(text) - 1; at += step)
			assert_int_equal(store_append_write(
						 ap,
						 str_sub(STR("one\r\ntwo\r\r\nthree\r\n\r\nfour\r"),
							 at, step),
						 &t->err),
					 0);
	}
	assert_int_equal(store_append_finish(ap, &args, &done, &t->err), 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	for (uint32_t i = 1; i <= store_view_count(v); i++) {
		assert_string_equal(account_text(t, v, i).p, text);
		assert_int_equal(account_message(t, v, i).date, 1000000000);
	}
	assert_int_equal(store_view_count(v), sizeof(text) - 2 + 1);
	store_view_close(v);
}

static void a_part_of_a_message_can_be_read_from_anywhere(void **state)
{
	struct account *t = *state;
	account_deliver(t, "INBOX", MSG);
	struct store_view *v = account_view(t, "INBOX", 0);
	struct store_file file;
	struct store_reader r;
	char out[64];

	assert_int_equal(store_view_open_message(v, 1, &file, &t->err), 0);
	store_reader_init(&r, &file, &t->a);
	for (size_t from = strlen(MSG) + 2; from-- > 0;) {
		store_reader_seek(&r, from);
		size_t n = store_reader_read(&r, out, 7);
		struct str want = str_sub(str_from(MSG), from, 7);
		assert_int_equal(n, want.n);
		assert_memory_equal(out, want.p, n);
	}
	close(file.fd);
	store_view_close(v);
}

static void what_is_known_of_a_message_is_what_reading_it_tells(void **state)
{
	struct account *t = *state;
	account_deliver(t, "INBOX", MSG);
	struct store_view *v = account_view(t, "INBOX", 0);
	struct mime_facts want, hot, all;
	struct str a, b;

	mime_facts_make(str_from(MSG), true, &t->a, &want);
	assert_int_equal(store_view_hot_facts(v, 1, &t->a, &hot, &t->err), 0);
	assert_true(str_eq(hot.hot, want.hot));
	assert_int_equal(store_view_facts(v, 1, &t->a, &all, &t->err), 0);
	assert_true(str_eq(all.hot, want.hot));
	assert_int_equal(mime_facts_bodystructure(&want, &a), 0);
	assert_int_equal(mime_facts_bodystructure(&all, &b), 0);
	assert_true(str_eq(a, b));
	store_view_close(v);
}

static void the_head_comes_before_the_body(void **state)
{
	struct account *t = *state;
	struct store_delivered done;
	int fd = text_fd(STR("skipped" MSG "rest"));
	struct store_delivery d = account_delivery(t, "INBOX", fd, strlen(MSG));
	d.offset = 7;
	d.head = STR("Return-Path: <>\r\n");

	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	assert_int_equal(done.size, strlen("Return-Path: <>\r\n" MSG));
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_string_equal(account_text(t, v, 1).p, "Return-Path: <>\r\n" MSG);
	store_view_close(v);
	close(fd);
}

static void a_second_delivery_of_one_id_does_nothing(void **state)
{
	struct account *t = *state;
	struct store_delivered done;
	int fd = text_fd(STR(MSG));
	struct store_delivery d = account_delivery(t, "INBOX", fd, strlen(MSG));

	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	assert_false(done.repeated);
	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	assert_true(done.repeated);

	struct store_view *v = account_view(t, "INBOX", 0);
	account_change(t, v, 1, STORE_SEEN | STORE_FLAGGED);
	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	assert_true(done.repeated);
	assert_int_equal(done.uid, 1);
	account_sync(t, v, 0);
	assert_int_equal(store_view_count(v), 1);

	d.part = 1;
	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	assert_false(done.repeated);
	store_view_close(v);
	close(fd);
}

static void delivery_creates_and_subscribes_a_mailbox_when_asked(void **state)
{
	struct account *t = *state;
	struct store_delivered done;
	struct store_box_list l;
	int fd = text_fd(STR(MSG));
	struct store_delivery d = account_delivery(t, "INBOX.spam", fd, strlen(MSG));

	d.create = false;
	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), -ENOENT);
	d.create = true;
	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	assert_int_equal(store_box_list(t->store, &t->a, &l, &t->err), 0);
	assert_int_equal(l.n, 2);
	assert_true(str_eq(l.v[1].name, STR("INBOX.spam")));
	assert_int_equal(l.v[1].attrs, STORE_BOX_EXISTS | STORE_BOX_SUBSCRIBED);
	close(fd);
}

static void uids_flags_and_uidvalidity_survive_a_restart(void **state)
{
	struct account *t = *state;
	struct store_status before, after;
	for (int i = 0; i < 5; i++)
		account_deliver(t, "INBOX", MSG);
	struct store_view *v = account_view(t, "INBOX", 0);
	account_change(t, v, 3, STORE_SEEN | STORE_DELETED);
	account_change(t, v, 5, STORE_ANSWERED | STORE_DRAFT | STORE_FLAGGED);
	assert_int_equal(store_view_expunge(v, NULL, &t->err), 1);
	store_view_status(v, &before);
	store_view_close(v);

	account_reopen(t);
	v = account_view(t, "INBOX", 0);
	store_view_status(v, &after);
	assert_int_equal(after.uidvalidity, before.uidvalidity);
	assert_int_equal(after.uidnext, 6);
	assert_memory_equal(after.guid, before.guid, 16);
	assert_int_equal(store_view_count(v), 4);
	assert_int_equal(store_view_uid(v, 3), 4);
	assert_int_equal(account_message(t, v, 4).flags & STORE_FLAGS_ALL,
			 STORE_ANSWERED | STORE_DRAFT | STORE_FLAGGED);
	store_view_close(v);
}

static void the_last_uid_is_not_used_again_after_its_expunge(void **state)
{
	struct account *t = *state;
	for (int i = 0; i < 3; i++)
		account_append(t, "INBOX", MSG, STORE_DELETED);
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_expunge(v, NULL, &t->err), 3);
	store_view_close(v);
	account_reopen(t);
	assert_int_equal(account_append(t, "INBOX", MSG, 0), 4);
}

static void other_views_are_told_of_flags_arrivals_and_expunges(void **state)
{
	struct account *t = *state;
	for (int i = 0; i < 4; i++)
		account_append(t, "INBOX", MSG, 0);
	struct store_view *a = account_view(t, "INBOX", 0), *b = account_view(t, "INBOX", 0);

	account_change(t, a, 1, STORE_DELETED);
	account_change(t, a, 3, STORE_DELETED);
	account_change(t, a, 4, STORE_SEEN);
	assert_int_equal(store_view_expunge(a, NULL, &t->err), 2);
	account_append(t, "INBOX", MSG, 0);

	struct store_events e = account_sync(t, b, STORE_SYNC_KEEP_EXPUNGED);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.v[0].kind, STORE_EVENT_FLAGS);
	assert_int_equal(e.v[0].seq, 4);
	assert_true(e.exists_changed);
	assert_int_equal(e.exists, 5);

	e = account_sync(t, b, 0);
	assert_int_equal(e.n, 2);
	assert_int_equal(e.v[0].kind, STORE_EVENT_EXPUNGED);
	assert_int_equal(e.v[0].seq, 3);
	assert_int_equal(e.v[1].seq, 1);
	assert_int_equal(e.v[1].uid, 1);
	assert_int_equal(e.exists, 3);
	assert_false(e.exists_changed);
	assert_int_equal(store_view_uid(b, 1), 2);
	assert_int_equal(store_view_seq(b, 3), 0);
	assert_int_equal(store_view_seq(b, 4), 2);
	assert_int_equal(account_sync(t, b, 0).n, 0);
	store_view_close(a);
	store_view_close(b);
}

static bool vanished(struct account *t, struct store_view *v, uint64_t since, const char *want)
{
	struct store_uids gone;
	struct str text = STR("");
	store_view_vanished(v, since, &t->a, &gone);
	for (size_t i = 0; i < gone.n; i++)
		text = arena_printf(&t->a, "%" STR_FMT "%s%u:%u", STR_ARG(text), i ? "," : "",
				    gone.v[i].first, gone.v[i].last);
	return str_eq(text, str_from(want));
}

/* RFC 7162 3.2.10: what the client has not been told stays out of it. */
static void what_vanished_is_remembered(void **state)
{
	struct account *t = *state;
	struct store_status st[3];
	for (int i = 0; i < 9; i++)
		account_append(t, "INBOX", MSG, 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	struct store_view *w = account_view(t, "INBOX", STORE_VIEW_KEEP_RECENT);
	static const uint32_t removed[][2] = { { 6, 7 }, { 2, 4 }, { 9, 9 } };
	for (int i = 0; i < 3; i++) {
		store_view_status(v, &st[i]);
		struct store_uids set = uids_of(t, removed[i][0], removed[i][1]);
		assert_true(store_view_remove(v, &set, &t->err) > 0);
		account_sync(t, v, 0);
	}
	assert_true(vanished(t, v, st[0].modseq, "2:4,6:7,9:9"));
	assert_true(vanished(t, v, st[1].modseq, "2:4,9:9"));
	assert_true(vanished(t, v, st[2].modseq, "9:9"));
	assert_true(vanished(t, v, st[2].modseq + 1000, ""));
	assert_true(vanished(t, v, 0, "2:4,6:7,9:9"));
	assert_true(vanished(t, w, st[0].modseq, ""));
	store_view_close(w);
	store_view_close(v);
	account_reopen(t);
	v = account_view(t, "INBOX", 0);
	if (store_has_modseq(t->store))
		assert_true(vanished(t, v, st[1].modseq, "2:4,9:9"));
	store_view_close(v);
}

static void what_changes_nothing_takes_no_modseq(void **state)
{
	struct account *t = *state;
	struct store_status before, after;
	struct store_copied done;
	struct store_copy_args args = { .to = STR("A"), .a = &t->a };
	account_append(t, "INBOX", MSG, STORE_SEEN);
	assert_int_equal(store_box_create(t->store, STR("A"), &t->err), 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	store_view_status(v, &before);
	account_change(t, v, 1, STORE_SEEN);
	assert_int_equal(store_view_expunge(v, NULL, &t->err), 0);
	struct store_uids none = { 0 };
	args.set = &none;
	assert_int_equal(store_view_move(v, &args, &done, &t->err), 0);
	store_view_status(v, &after);
	assert_int_equal(after.modseq, before.modseq);
	store_view_close(v);
}

static void a_silent_change_is_no_event_for_its_view(void **state)
{
	struct account *t = *state;
	account_append(t, "INBOX", MSG, 0);
	account_append(t, "INBOX", MSG, 0);
	struct store_view *a = account_view(t, "INBOX", 0), *b = account_view(t, "INBOX", 0);
	struct store_uids set = uids_of(t, 1, 2);
	struct store_change c = { .op = STORE_FLAGS_ADD, .flags = STORE_SEEN, .silent = true };

	assert_int_equal(store_view_change(a, &set, &c, NULL, &t->err), 0);
	assert_int_equal(account_sync(t, a, 0).n, 0);
	assert_int_equal(account_sync(t, b, 0).n, 2);
	account_change(t, b, 2, 0);
	assert_int_equal(account_sync(t, a, 0).n, 1);
	store_view_close(a);
	store_view_close(b);
}

static void a_conditional_change_names_what_it_left(void **state)
{
	struct account *t = *state;
	for (int i = 0; i < 3; i++)
		account_append(t, "INBOX", MSG, 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	struct store_status st;
	store_view_status(v, &st);
	account_change(t, v, 2, STORE_FLAGGED);

	struct store_uids set = uids_of(t, 1, 3), modified;
	struct store_change c = { .op = STORE_FLAGS_ADD,
				  .flags = STORE_SEEN,
				  .conditional = true,
				  .unchanged_since = st.modseq,
				  .a = &t->a };
	assert_int_equal(store_view_change(v, &set, &c, &modified, &t->err), 0);
	assert_int_equal(modified.n, 1);
	assert_int_equal(modified.v[0].first, 2);
	assert_int_equal(account_message(t, v, 1).flags & STORE_SEEN, STORE_SEEN);
	assert_int_equal(account_message(t, v, 2).flags & STORE_SEEN, 0);
	store_view_close(v);
}

static void only_one_view_sees_a_message_as_recent(void **state)
{
	struct account *t = *state;
	account_deliver(t, "INBOX", MSG);
	struct store_view *ro = account_view(t, "INBOX", STORE_VIEW_KEEP_RECENT);
	struct store_view *a = account_view(t, "INBOX", 0), *b = account_view(t, "INBOX", 0);

	assert_int_equal(account_message(t, a, 1).flags & STORE_RECENT, STORE_RECENT);
	assert_int_equal(account_message(t, b, 1).flags & STORE_RECENT, 0);
	account_deliver(t, "INBOX", MSG);
	assert_int_equal(account_sync(t, b, 0).recent, 1);
	assert_int_equal(account_sync(t, a, 0).recent, 1);
	store_view_close(ro);
	store_view_close(a);
	store_view_close(b);
	account_reopen(t);
	a = account_view(t, "INBOX", 0);
	assert_int_equal(account_message(t, a, 2).flags & STORE_RECENT, 0);
	store_view_close(a);
}

/* RFC 3501 6.3.2 */
static void a_view_that_only_reads_sees_recent_and_leaves_it(void **state)
{
	struct account *t = *state;
	struct store_status st;

	account_deliver(t, "INBOX", MSG);
	struct store_view *ro = account_view(t, "INBOX", STORE_VIEW_READ_ONLY);
	store_view_status(ro, &st);
	assert_int_equal(st.recent, 1);
	account_deliver(t, "INBOX", MSG);
	assert_int_equal(account_sync(t, ro, 0).recent, 2);
	assert_int_equal(account_message(t, ro, 1).flags & STORE_RECENT, STORE_RECENT);
	assert_int_equal(account_message(t, ro, 2).flags & STORE_RECENT, STORE_RECENT);

	struct store_view *a = account_view(t, "INBOX", 0);
	store_view_status(a, &st);
	assert_int_equal(st.recent, 2);
	assert_int_equal(account_sync(t, ro, 0).recent, 2);
	store_view_close(ro);
	ro = account_view(t, "INBOX", STORE_VIEW_READ_ONLY);
	store_view_status(ro, &st);
	assert_int_equal(st.recent, 0);
	store_view_close(ro);
	store_view_close(a);
}

static void count_call(void *arg)
{
	++*(int *)arg;
}

static void watchers_are_called_for_the_changes_of_others(void **state)
{
	struct account *t = *state;
	int calls = 0;
	struct store_view *a = account_view(t, "INBOX", 0), *b = account_view(t, "INBOX", 0);
	store_view_watch(a, count_call, &calls);

	account_deliver(t, "INBOX", MSG);
	assert_int_equal(calls, 1);
	assert_true(store_view_has_news(a));
	account_sync(t, b, 0);
	account_change(t, b, 1, STORE_SEEN);
	assert_int_equal(calls, 2);
	account_sync(t, a, STORE_SYNC_NO_DISK);
	assert_false(store_view_has_news(a));
	account_change(t, a, 1, 0);
	assert_int_equal(calls, 2);
	store_view_watch(a, NULL, NULL);
	account_change(t, b, 1, STORE_SEEN);
	assert_int_equal(calls, 2);
	store_view_close(a);
	store_view_close(b);
}

static void keywords_have_names_and_survive(void **state)
{
	struct account *t = *state;
	unsigned n;
	account_append(t, "INBOX", MSG, 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	int junk = store_view_keyword(v, STR("$Junk"), true, &t->err);
	int todo = store_view_keyword(v, STR("todo"), true, &t->err);
	assert_int_equal(store_view_keyword(v, STR("TODO"), true, &t->err), todo);
	assert_int_equal(store_view_keyword(v, STR("other"), false, &t->err), -ENOENT);
	assert_int_equal(store_view_keyword(v, STR("a b"), true, &t->err), -EINVAL);
	assert_true(account_sync(t, v, 0).keywords_changed);

	struct store_uids set = uids_of(t, 1, 1);
	struct store_change c = { .op = STORE_FLAGS_ADD,
				  .keywords = 1u << todo,
				  .flags = STORE_SEEN };
	assert_int_equal(store_view_change(v, &set, &c, NULL, &t->err), 0);
	store_view_close(v);
	account_reopen(t);
	v = account_view(t, "INBOX", 0);
	const struct str *names = store_view_keywords(v, &n);
	assert_int_equal(n, 2);
	assert_true(str_eq(names[junk], STR("$Junk")));
	assert_int_equal(account_message(t, v, 1).keywords, 1u << todo);
	store_view_close(v);
}

static void a_mailbox_has_room_for_as_many_keywords_as_promised(void **state)
{
	struct account *t = *state;
	char name[16];
	struct store_view *v = account_view(t, "INBOX", 0);
	for (int i = 0; i < STORE_KEYWORDS_MAX; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		assert_int_equal(store_view_keyword(v, str_from(name), true, &t->err), i);
	}
	assert_int_equal(store_view_keyword(v, STR("more"), true, &t->err), -E2BIG);
	store_view_close(v);
}

static void copies_keep_flags_keywords_and_date(void **state)
{
	struct account *t = *state;
	struct store_append *ap;
	struct store_appended appended;
	struct str keyword = STR("work");
	struct store_append_meta m = { { STORE_SEEN, &keyword, 1 }, 1234567890, STORE_LINES_TEXT };
	struct store_append_args append_args = { .a = &t->a };
	assert_int_equal(store_box_create(t->store, STR("Other"), &t->err), 0);
	assert_int_equal(store_append_begin(t->store, STR("INBOX"), &ap, &t->err), 0);
	assert_int_equal(store_append_message(ap, &m, &t->err), 0);
	assert_int_equal(store_append_write(ap, STR(MSG), &t->err), 0);
	assert_int_equal(store_append_finish(ap, &append_args, &appended, &t->err), 0);

	struct store_view *v = account_view(t, "INBOX", 0), *o = account_view(t, "Other", 0);
	assert_int_equal(store_view_keyword(o, STR("first"), true, &t->err), 0);
	struct store_copied done;
	struct store_copy_args args = { .to = STR("Other"), .a = &t->a };
	assert_int_equal(store_view_copy(v, &args, &done, &t->err), 0);
	assert_int_equal(store_view_copy(v, &args, &done, &t->err), 0);
	assert_int_equal(done.n, 1);
	assert_int_equal(done.from.v[0].first, 1);
	assert_int_equal(done.to.v[0].first, 2);

	account_sync(t, o, 0);
	assert_int_equal(store_view_count(o), 2);
	struct store_message copy = account_message(t, o, 2);
	assert_int_equal(copy.flags & STORE_FLAGS_ALL, STORE_SEEN);
	assert_int_equal(copy.keywords, 1u << 1);
	assert_int_equal(copy.date, 1234567890);
	assert_string_equal(account_text(t, o, 2).p, MSG);
	store_view_close(v);
	store_view_close(o);
}

static void a_moved_message_is_in_the_other_mailbox_only(void **state)
{
	struct account *t = *state;
	for (int i = 0; i < 3; i++)
		account_append(t, "INBOX", MSG, 0);
	assert_int_equal(store_box_create(t->store, STR("Archive"), &t->err), 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	struct store_uids set = uids_of(t, 2, 9);
	struct store_copied done;
	struct store_copy_args args = { .set = &set, .to = STR("Archive"), .a = &t->a };
	args.commit = store_commit_new();

	assert_int_equal(store_view_move(v, &args, &done, &t->err), 0);
	assert_true(store_commit_volume(args.commit, 0) >= 0);
	assert_int_equal(store_commit_volume(args.commit, 1), -1);
	store_commit_free(args.commit);
	assert_int_equal(done.n, 2);
	struct store_events e = account_sync(t, v, 0);
	assert_int_equal(e.n, 2);
	assert_int_equal(e.v[0].seq, 3);
	struct store_view *o = account_view(t, "Archive", 0);
	assert_int_equal(store_view_count(o), 2);
	assert_string_equal(account_text(t, o, 1).p, MSG);
	store_view_close(o);
	store_view_close(v);
	account_reopen(t);
	v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 1);
	store_view_close(v);
}

static void copy_and_move_into_the_same_mailbox_give_new_uids(void **state)
{
	struct account *t = *state;
	account_append(t, "INBOX", MSG, STORE_FLAGGED);
	struct store_view *v = account_view(t, "INBOX", 0);
	struct store_copied done;
	struct store_copy_args args = { .to = STR("INBOX"), .a = &t->a };

	assert_int_equal(store_view_copy(v, &args, &done, &t->err), 0);
	assert_int_equal(done.to.v[0].first, 2);
	struct store_uids set = uids_of(t, 1, 1);
	args.set = &set;
	assert_int_equal(store_view_move(v, &args, &done, &t->err), 0);
	assert_int_equal(done.to.v[0].first, 3);
	account_sync(t, v, 0);
	assert_int_equal(store_view_count(v), 2);
	assert_int_equal(store_view_uid(v, 1), 2);
	assert_string_equal(account_text(t, v, 2).p, MSG);
	assert_int_equal(account_message(t, v, 2).flags & STORE_FLAGS_ALL, STORE_FLAGGED);
	store_view_close(v);
}

static void copy_to_a_missing_mailbox_does_nothing(void **state)
{
	struct account *t = *state;
	account_append(t, "INBOX", MSG, 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	struct store_copied done;
	struct store_copy_args args = { .to = STR("No"), .a = &t->a };
	assert_int_equal(store_view_copy(v, &args, &done, &t->err), -ENOENT);
	assert_int_equal(store_view_move(v, &args, &done, &t->err), -ENOENT);
	assert_int_equal(store_view_count(v), 1);
	store_view_close(v);
}

static void an_aborted_append_leaves_nothing(void **state)
{
	struct account *t = *state;
	struct store_append *ap;
	struct store_append_meta m = { .date = INT64_MIN };
	struct store_usage u;
	assert_int_equal(store_append_begin(t->store, STR("INBOX"), &ap, &t->err), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_append_message(ap, &m, &t->err), 0);
		assert_int_equal(store_append_write(ap, STR(MSG), &t->err), 0);
	}
	store_append_abort(ap);
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 0);
	store_view_close(v);
	assert_int_equal(store_usage(t->store, &u, &t->err), 0);
	assert_int_equal(u.messages, 0);
}

static void many_appended_messages_appear_together(void **state)
{
	struct account *t = *state;
	struct store_append *ap;
	struct store_appended done;
	struct store_append_meta m = { .date = INT64_MIN };
	struct store_append_args args = { .a = &t->a, .commit = store_commit_new() };
	struct store_view *v = account_view(t, "INBOX", 0);

	assert_int_equal(store_append_begin(t->store, STR("INBOX"), &ap, &t->err), 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(store_append_message(ap, &m, &t->err), 0);
		assert_int_equal(store_append_write(ap, STR(MSG), &t->err), 0);
	}
	assert_int_equal(account_sync(t, v, 0).exists, 0);
	assert_int_equal(store_append_finish(ap, &args, &done, &t->err), 0);
	assert_true(store_commit_volume(args.commit, 0) >= 0);
	assert_int_equal(store_commit_volume(args.commit, 1), -1);
	store_commit_free(args.commit);
	assert_int_equal(done.uids.n, 1);
	assert_int_equal(done.uids.v[0].last, 100);
	struct store_events e = account_sync(t, v, 0);
	assert_int_equal(e.exists, 100);
	assert_int_equal(e.recent, 100);
	store_view_close(v);
}

static void a_read_only_view_changes_nothing(void **state)
{
	struct account *t = *state;
	account_append(t, "INBOX", MSG, STORE_DELETED);
	struct store_view *v = account_view(t, "INBOX", STORE_VIEW_READ_ONLY);
	struct store_change c = { .op = STORE_FLAGS_ADD, .flags = STORE_SEEN };
	struct store_copied done;
	struct store_copy_args args = { .to = STR("INBOX"), .a = &t->a };

	assert_int_equal(store_view_change(v, NULL, &c, NULL, &t->err), -EROFS);
	assert_int_equal(store_view_expunge(v, NULL, &t->err), -EROFS);
	assert_int_equal(store_view_move(v, &args, &done, &t->err), -EROFS);
	assert_int_equal(store_view_keyword(v, STR("x"), true, &t->err), -EROFS);
	store_view_close(v);
}

static void names_from_clients_stay_inside_the_account(void **state)
{
	struct account *t = *state;
	static const struct {
		struct str name;
		int result;
	} cases[] = {
		{ STR_INIT(""), -EINVAL },
		{ STR_INIT("."), -EINVAL },
		{ STR_INIT(".."), -EINVAL },
		{ STR_INIT("../x"), -EINVAL },
		{ STR_INIT("a/b"), -EINVAL },
		{ STR_INIT("a..b"), -EINVAL },
		{ STR_INIT(".a"), -EINVAL },
		{ STR_INIT("a."), -EINVAL },
		{ STR_INIT("a\0b"), -EINVAL },
		{ STR_INIT("a\nb"), -EINVAL },
		{ STR_INIT("\x7f"), -EINVAL },
		{ STR_INIT("\xff"), -EINVAL },
		{ STR_INIT("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21"), -E2BIG },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_view *v;
		assert_int_equal(store_box_create(t->store, cases[i].name, &t->err),
				 cases[i].result);
		assert_int_equal(store_view_open(t->store, cases[i].name, 0, &v, &t->err),
				 cases[i].result);
		assert_int_equal(store_box_rename(t->store, STR("INBOX"), cases[i].name, &t->err),
				 cases[i].result);
		assert_int_equal(store_box_subscribe(t->store, cases[i].name, true, &t->err),
				 cases[i].result);
	}
	char big[1200];
	memset(big, 'a', sizeof(big));
	assert_int_equal(store_box_create(t->store, str_of(big, 1001), &t->err), -ENAMETOOLONG);
	assert_int_equal(store_box_create(t->store, str_of(big, 300), &t->err), -ENAMETOOLONG);
}

static void the_list_has_parents_children_and_subscriptions(void **state)
{
	struct account *t = *state;
	struct store_box_list l;
	static const struct {
		const char *name;
		uint32_t attrs;
	} want[] = {
		{ "INBOX", STORE_BOX_EXISTS },
		{ "A", STORE_BOX_HAS_CHILDREN },
		{ "A.B", STORE_BOX_EXISTS | STORE_BOX_HAS_CHILDREN },
		{ "A.B.C", STORE_BOX_EXISTS },
		{ "A-B", STORE_BOX_EXISTS },
		{ "Gone", STORE_BOX_SUBSCRIBED },
		{ "T\xc3\xa4st & more", STORE_BOX_EXISTS | STORE_BOX_SUBSCRIBED },
	};
	assert_int_equal(store_box_create(t->store, STR("A-B"), &t->err), 0);
	assert_int_equal(store_box_create(t->store, STR("A.B.C"), &t->err), 0);
	assert_int_equal(store_box_create(t->store, STR("A.B"), &t->err), 0);
	assert_int_equal(store_box_create(t->store, STR("A.B"), &t->err), -EEXIST);
	assert_int_equal(store_box_create(t->store, STR("inbox"), &t->err), -EEXIST);
	assert_int_equal(store_box_create(t->store, str_from(want[6].name), &t->err), 0);
	assert_int_equal(store_box_subscribe(t->store, str_from(want[6].name), true, &t->err), 0);
	assert_int_equal(store_box_subscribe(t->store, STR("Gone"), true, &t->err), 0);
	assert_int_equal(store_box_subscribe(t->store, STR("A"), true, &t->err), 0);
	assert_int_equal(store_box_subscribe(t->store, STR("A"), false, &t->err), 0);

	account_reopen(t);
	assert_int_equal(store_box_list(t->store, &t->a, &l, &t->err), 0);
	assert_int_equal(l.n, ARRAY_LEN(want));
	for (size_t i = 0; i < l.n; i++) {
		assert_true(str_eq(l.v[i].name, str_from(want[i].name)));
		assert_int_equal(l.v[i].attrs, want[i].attrs);
	}
}

static void special_mailboxes_come_with_the_first_client(void **state)
{
	struct account *t = *state;
	struct store_box_list l;
	account_deliver(t, "INBOX", MSG);
	assert_int_equal(store_box_list(t->store, &t->a, &l, &t->err), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(store_box_special(t->store, STORE_BOX_TRASH).n, 0);

	assert_int_equal(store_prepare(t->store, &t->err), 0);
	assert_int_equal(store_prepare(t->store, &t->err), 0);
	assert_int_equal(store_box_list(t->store, &t->a, &l, &t->err), 0);
	assert_int_equal(l.n, 5);
	assert_true(str_eq(l.v[2].name, STR("Junk")));
	assert_int_equal(l.v[2].attrs, STORE_BOX_EXISTS | STORE_BOX_SUBSCRIBED | STORE_BOX_JUNK);
	assert_true(str_eq(store_box_special(t->store, STORE_BOX_TRASH), STR("Trash")));
}

static void a_deleted_mailbox_is_gone_for_its_views(void **state)
{
	struct account *t = *state;
	struct store_status before, after;
	struct store_events e;
	assert_int_equal(store_box_create(t->store, STR("X"), &t->err), 0);
	assert_int_equal(store_box_create(t->store, STR("X.Y"), &t->err), 0);
	account_append(t, "X", MSG, 0);
	struct store_view *v = account_view(t, "X", 0);
	store_view_status(v, &before);

	assert_int_equal(store_box_delete(t->store, STR("INBOX"), &t->err), -EPERM);
	assert_int_equal(store_box_delete(t->store, STR("X"), &t->err), 0);
	assert_int_equal(store_box_delete(t->store, STR("X"), &t->err), -ENOENT);
	assert_int_equal(store_view_sync(v, 0, &t->a, &e, &t->err), -ESTALE);
	assert_int_equal(store_box_check(t->store, STR("X.Y"), &t->err), 0);
	assert_int_equal(store_box_create(t->store, STR("X"), &t->err), 0);
	struct store_view *again = account_view(t, "X", 0);
	store_view_status(again, &after);
	assert_int_equal(store_view_count(again), 0);
	assert_true(after.uidvalidity > before.uidvalidity);
	store_view_close(v);
	store_view_close(again);
}

static void a_rename_takes_children_and_open_views_along(void **state)
{
	struct account *t = *state;
	assert_int_equal(store_box_create(t->store, STR("A"), &t->err), 0);
	assert_int_equal(store_box_create(t->store, STR("A.B"), &t->err), 0);
	assert_int_equal(store_box_create(t->store, STR("AB"), &t->err), 0);
	account_append(t, "A.B", MSG, 0);
	struct store_view *v = account_view(t, "A.B", 0);

	assert_int_equal(store_box_rename(t->store, STR("A"), STR("AB"), &t->err), -EEXIST);
	assert_int_equal(store_box_rename(t->store, STR("A"), STR("A.C"), &t->err), -EINVAL);
	assert_int_equal(store_box_rename(t->store, STR("No"), STR("Z"), &t->err), -ENOENT);
	assert_int_equal(store_box_rename(t->store, STR("A"), STR("Z"), &t->err), 0);
	assert_int_equal(store_box_check(t->store, STR("A.B"), &t->err), -ENOENT);
	assert_int_equal(store_box_check(t->store, STR("AB"), &t->err), 0);
	account_append(t, "Z.B", MSG, 0);
	assert_int_equal(account_sync(t, v, 0).exists, 2);
	assert_true(str_eq(store_view_name(v), STR("Z.B")));
	store_view_close(v);
}

static void renaming_inbox_moves_its_messages(void **state)
{
	struct account *t = *state;
	account_append(t, "INBOX", MSG, 0);
	account_append(t, "INBOX", MSG, 0);
	assert_int_equal(store_box_rename(t->store, STR("INBOX"), STR("Old"), &t->err), 0);
	struct store_view *in = account_view(t, "INBOX", 0), *old = account_view(t, "Old", 0);
	assert_int_equal(store_view_count(in), 0);
	assert_int_equal(store_view_count(old), 2);
	store_view_close(in);
	store_view_close(old);
}

static void status_needs_no_view(void **state)
{
	struct account *t = *state;
	struct store_status st;
	account_append(t, "INBOX", MSG, STORE_SEEN);
	account_append(t, "INBOX", MSG, STORE_DELETED);
	account_append(t, "INBOX", MSG, 0);
	assert_int_equal(store_box_status(t->store, STR("INBOX"), &st, &t->err), 0);
	assert_int_equal(st.messages, 3);
	assert_int_equal(st.unseen, 2);
	assert_int_equal(st.deleted, 1);
	assert_int_equal(st.recent, 3);
	assert_int_equal(st.bytes, 3 * strlen(MSG));
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_first_unseen(v), 2);
	store_view_close(v);
}

static void a_view_far_behind_still_learns_everything(void **state)
{
	struct account *t = *state;
	for (int i = 0; i < 20; i++)
		account_append(t, "INBOX", MSG, 0);
	struct store_view *a = account_view(t, "INBOX", 0), *b = account_view(t, "INBOX", 0);
	for (int i = 0; i < 9000; i++) /* more than any log of changes holds */
		account_change(t, a, 1 + (uint32_t)i % 10, i / 10 % 2 ? 0 : STORE_FLAGGED);
	account_change(t, a, 15, STORE_DELETED);
	assert_int_equal(store_view_expunge(a, NULL, &t->err), 1);

	struct store_events e = account_sync(t, b, 0);
	assert_int_equal(e.n, 11);
	assert_int_equal(e.v[0].kind, STORE_EVENT_EXPUNGED);
	assert_int_equal(e.v[0].seq, 15);
	assert_int_equal(e.v[10].seq, 10);
	store_view_close(a);
	store_view_close(b);
}

static void mailboxes_nobody_uses_are_let_go(void **state)
{
	struct account *t = *state;
	char name[16];
	struct store_settings set = { .host = STR("h"), .loaded_max = 2 };
	struct store_pool *p = store_pool_new(&set);
	struct store *s;
	struct store_status st;
	assert_int_equal(store_open(p, str_from(t->path), &s, &t->err), 0);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "box%d", i);
		assert_int_equal(store_box_create(s, str_from(name), &t->err), 0);
		assert_int_equal(store_box_status(s, str_from(name), &st, &t->err), 0);
	}
	store_close(s);
	store_pool_free(p);
}

static unsigned count_descriptors(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void accounts_nobody_uses_are_let_go(void **state)
{
	struct account *t = *state;
	unsigned before = count_descriptors();
	for (int i = 0; i < 1000; i++) {
		struct str path = arena_printf(&t->a, "%s/example.org/user%d", t->root, i);
		struct store *s;
		assert_int_equal(store_open(t->pool, path, &s, &t->err), 0);
		store_close(s);
	}
	assert_true(count_descriptors() < before + 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, account_setup, account_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_account_has_an_empty_inbox),
		TEST(the_case_of_inbox_does_not_matter_below_it_either),
		TEST(delivered_text_comes_back_byte_for_byte),
		TEST(appended_bare_line_feeds_become_line_ends),
		TEST(text_may_arrive_in_any_portions),
		TEST(a_part_of_a_message_can_be_read_from_anywhere),
		TEST(what_is_known_of_a_message_is_what_reading_it_tells),
		TEST(the_head_comes_before_the_body),
		TEST(a_second_delivery_of_one_id_does_nothing),
		TEST(delivery_creates_and_subscribes_a_mailbox_when_asked),
		TEST(uids_flags_and_uidvalidity_survive_a_restart),
		TEST(the_last_uid_is_not_used_again_after_its_expunge),
		TEST(other_views_are_told_of_flags_arrivals_and_expunges),
		TEST(what_vanished_is_remembered),
		TEST(what_changes_nothing_takes_no_modseq),
		TEST(a_silent_change_is_no_event_for_its_view),
		TEST(a_conditional_change_names_what_it_left),
		TEST(only_one_view_sees_a_message_as_recent),
		TEST(a_view_that_only_reads_sees_recent_and_leaves_it),
		TEST(watchers_are_called_for_the_changes_of_others),
		TEST(keywords_have_names_and_survive),
		TEST(a_mailbox_has_room_for_as_many_keywords_as_promised),
		TEST(copies_keep_flags_keywords_and_date),
		TEST(a_moved_message_is_in_the_other_mailbox_only),
		TEST(copy_and_move_into_the_same_mailbox_give_new_uids),
		TEST(copy_to_a_missing_mailbox_does_nothing),
		TEST(an_aborted_append_leaves_nothing),
		TEST(many_appended_messages_appear_together),
		TEST(a_read_only_view_changes_nothing),
		TEST(names_from_clients_stay_inside_the_account),
		TEST(the_list_has_parents_children_and_subscriptions),
		TEST(special_mailboxes_come_with_the_first_client),
		TEST(a_deleted_mailbox_is_gone_for_its_views),
		TEST(a_rename_takes_children_and_open_views_along),
		TEST(renaming_inbox_moves_its_messages),
		TEST(status_needs_no_view),
		TEST(a_view_far_behind_still_learns_everything),
		TEST(mailboxes_nobody_uses_are_let_go),
		TEST(accounts_nobody_uses_are_let_go),
	};
	int failed = cmocka_run_group_tests_name("store/store", tests, NULL, NULL);
	account_with_index = true;
	return failed + cmocka_run_group_tests_name("store/store with index", tests, NULL, NULL);
}
