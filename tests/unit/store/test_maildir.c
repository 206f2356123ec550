/* What the Maildir keeps on disk, and what it makes of the changes, damage and crashes it finds
 * there. */

#include "account.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define MSG	"Subject: x\r\n\r\nhello\r\n"
#define ON_DISK "Subject: x\n\nhello\n"

static const char *path_of(struct account *t, const char *name)
{
	return arena_printf(&t->a, "%s/%s", t->path, name).p;
}

static void rename_file(struct account *t, const char *from, const char *to)
{
	assert_int_equal(rename(path_of(t, from), path_of(t, to)), 0);
}

static void put_message(struct account *t, const char *name)
{
	account_write_file(t, name, ON_DISK);
}

/* Two changes within one tick of the clock look the same to whoever compares time stamps. */
static void let_time_pass(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
}

static void a_message_file_tells_its_sizes_and_flags(void **state)
{
	struct account *t = *state;
	struct store_delivered done;
	int fd = text_fd(STR(MSG));
	struct store_delivery d = account_delivery(t, "INBOX", fd, strlen(MSG));
	d.id = (uint64_t)1700000000123456 << 12 | 0x2a;
	d.head = STR("Return-Path: <>\r\n");
	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	const char *name = account_only_file(t, "new");
	assert_string_equal(name, "new/1700000000.M123456P42.host,S=34,W=38");
	assert_true(str_eq(account_file(t, name), STR("Return-Path: <>\n" ON_DISK)));

	struct store_view *v = account_view(t, "INBOX", 0);
	assert_string_equal(account_only_file(t, "cur"),
			    "cur/1700000000.M123456P42.host,S=34,W=38:2,");
	struct store_uids set = uids_of(t, 1, 1);
	int bit = store_view_keyword(v, STR("$Forwarded"), true, &t->err);
	struct store_change c = { .op = STORE_FLAGS_ADD,
				  .flags = STORE_SEEN | STORE_ANSWERED,
				  .keywords = 1u << bit };
	assert_int_equal(store_view_change(v, &set, &c, NULL, &t->err), 0);
	assert_string_equal(account_only_file(t, "cur"),
			    "cur/1700000000.M123456P42.host,S=34,W=38:2,RSa");
	assert_true(str_eq(account_file(t, "dovecot-keywords"), STR("0 $Forwarded\n")));
	store_view_close(v);
	close(fd);
}

static void sieve_marks_put_the_file_into_cur(void **state)
{
	struct account *t = *state;
	struct store_delivered done;
	int fd = text_fd(STR(MSG));
	struct store_delivery d = account_delivery(t, "INBOX", fd, strlen(MSG));
	struct str keyword = STR("spam");
	d.mark = (struct store_mark){ STORE_SEEN, &keyword, 1 };
	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	assert_int_equal(account_count_files(t, "new"), 0);
	assert_true(str_ends(str_from(account_only_file(t, "cur")), STR(":2,Sa")));
	close(fd);
}

static void a_wire_copy_is_kept_where_line_ends_would_be_lost(void **state)
{
	struct account *t = *state;
	account_deliver(t, "INBOX", "a\r\nb\nc\r\n");
	const char *name = account_only_file(t, "new");
	assert_true(str_ends(str_from(name), STR(",S=8,W=8")));
	assert_true(str_eq(account_file(t, name), STR("a\r\nb\nc\r\n")));
}

static void folders_have_their_marker_and_spelling(void **state)
{
	struct account *t = *state;
	struct stat st;
	assert_int_equal(store_box_create(t->store, STR("Foo.B\xc3\xa4r"), &t->err), 0);
	assert_true(account_has(t, ".Foo.B&AOQ-r/maildirfolder"));
	assert_true(account_has(t, ".Foo.B&AOQ-r/cur"));
	assert_true(account_has(t, "home"));
	assert_int_equal(stat(path_of(t, ".Foo.B&AOQ-r"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(store_box_subscribe(t->store, STR("Foo.B\xc3\xa4r"), true, &t->err), 0);
	assert_true(str_eq(account_file(t, "subscriptions"), STR("V\t2\n\nFoo\tB&AOQ-r\n")));
	assert_int_equal(store_box_delete(t->store, STR("Foo.B\xc3\xa4r"), &t->err), 0);
	assert_false(account_has(t, ".Foo.B&AOQ-r"));
}

static void a_folder_named_in_plain_utf8_is_found(void **state)
{
	struct account *t = *state;
	struct store_box_list l;
	assert_int_equal(mkdir(path_of(t, ".B\xc3\xa4r"), 0700), 0);
	assert_int_equal(mkdir(path_of(t, ".B\xc3\xa4r/cur"), 0700), 0);
	assert_int_equal(store_box_list(t->store, &t->a, &l, &t->err), 0);
	assert_int_equal(l.n, 2);
	assert_true(str_eq(l.v[1].name, STR("B\xc3\xa4r")));
	account_append(t, "B\xc3\xa4r", MSG, 0);
	assert_true(account_has(t, ".B\xc3\xa4r/dovecot-uidlist"));
}

/* As Debian's Dovecot 2.3 left it after two APPENDs, a STORE and a COPY. */
static void write_dovecot_account(struct account *t)
{
	account_write_file(t, "dovecot-uidlist",
			   "3 V1795494326 N3 G20841e38b511056bef35000083ecc375\n"
			   "1 :1795494325.M941524P13807.vm,S=18,W=21\n"
			   "2 :1795494326.M64360P13807.vm,S=18,W=21\n");
	account_write_file(t, "dovecot-keywords", "0 $Forwarded\n1 NonJunk\n");
	account_write_file(t, "subscriptions", "V\t2\n\nFoo\tB&AOQ-r\nDrafts\n");
	account_write_file(t, "dovecot-uidvalidity", "6b0511b6");
	account_write_file(t, "dovecot-uidvalidity.6b0511b6", "");
	put_message(t, "cur/1795494325.M941524P13807.vm,S=18,W=21:2,Fb");
	put_message(t, "cur/1795494326.M64360P13807.vm,S=18,W=21:2,Sab");
	static const char *const dirs[] = { ".Foo.B&AOQ-r", ".Foo.B&AOQ-r/cur", ".Foo.B&AOQ-r/new",
					    ".Foo.B&AOQ-r/tmp" };
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdir(path_of(t, dirs[i]), 0700), 0);
	account_write_file(t, ".Foo.B&AOQ-r/dovecot-uidlist",
			   "3 V1795494325 N1 G5877b32cb511056bef35000083ecc375\n"
			   "1 :1795494325.M941524P13807.vm,S=18,W=21\n"
			   "2 W21 P0000002a5 :1795494326.M64360P13807.vm,S=18\n");
	account_write_file(t, ".Foo.B&AOQ-r/dovecot-keywords", "0 NonJunk\n1 $Forwarded\n");
	put_message(t, ".Foo.B&AOQ-r/cur/1795494325.M941524P13807.vm,S=18,W=21:2,Fa");
	put_message(t, ".Foo.B&AOQ-r/cur/1795494326.M64360P13807.vm,S=18:2,PSab");
}

static void an_account_of_dovecot_opens_with_everything_kept(void **state)
{
	struct account *t = *state;
	struct store_status st;
	struct store_box_list l;
	write_dovecot_account(t);

	struct store_view *v = account_view(t, "INBOX", 0);
	store_view_status(v, &st);
	assert_int_equal(st.uidvalidity, 1795494326);
	assert_int_equal(st.uidnext, 3);
	assert_int_equal(st.guid[0], 0x20);
	assert_int_equal(account_message(t, v, 1).flags, STORE_FLAGGED);
	assert_int_equal(account_message(t, v, 2).keywords, 3);
	assert_string_equal(account_text(t, v, 2).p, MSG);
	store_view_close(v);

	v = account_view(t, "Foo.B\xc3\xa4r", 0);
	store_view_status(v, &st);
	assert_int_equal(st.uidnext, 3);
	struct store_message m = account_message(t, v, 2);
	assert_int_equal(m.wire_size, 21);
	assert_true(str_eq(m.pop3_uidl, STR("0000002a5")));
	store_view_close(v);

	assert_int_equal(store_box_list(t->store, &t->a, &l, &t->err), 0);
	assert_int_equal(l.n, 4);
	assert_int_equal(t->reports, 0);
}

static void what_we_do_not_know_is_left_as_it_was(void **state)
{
	struct account *t = *state;
	write_dovecot_account(t);
	struct store_view *v = account_view(t, "Foo.B\xc3\xa4r", 0);
	account_change(t, v, 2, STORE_DELETED);
	assert_true(account_has(t, ".Foo.B&AOQ-r/cur/1795494326.M64360P13807.vm,S=18:2,PT"));
	store_view_close(v);
	account_append(t, "Foo.B\xc3\xa4r", MSG, 0);
	struct str list = account_file(t, ".Foo.B&AOQ-r/dovecot-uidlist");
	assert_true(str_starts(list, STR("3 V1795494325 N1 G5877b32cb511056bef35000083ecc375\n")));
	assert_true(str_find(list, STR("2 W21 P0000002a5 :1795494326.M64360P13807.vm,S=18\n")) > 0);
}

static void a_header_without_its_line_end_is_written_again(void **state)
{
	struct account *t = *state;
	struct store_status st;
	account_write_file(t, "dovecot-uidlist", "3 V4 N7 G5877b32cb511056bef35000083ecc375");
	account_write_file(t, "cur/a:2,", "Subject: x\n\n");
	account_write_file(t, "cur/b:2,", "Subject: x\n\n");
	for (int i = 0; i < 2; i++) {
		struct store_view *v = account_view(t, "INBOX", 0);
		store_view_status(v, &st);
		assert_int_equal(st.uidvalidity, 4);
		assert_int_equal(store_view_count(v), 2);
		assert_int_equal(store_view_uid(v, 1), 7);
		assert_int_equal(store_view_uid(v, 2), 8);
		store_view_close(v);
		account_reopen(t);
	}
}

static void a_new_mailbox_gets_a_larger_uidvalidity_than_dovecot_gave(void **state)
{
	struct account *t = *state;
	struct store_status st;
	write_dovecot_account(t);
	account_write_file(t, "dovecot-uidvalidity", "fff00000");
	rename_file(t, "dovecot-uidvalidity.6b0511b6", "dovecot-uidvalidity.fff00000");
	assert_int_equal(store_box_create(t->store, STR("N"), &t->err), 0);
	assert_int_equal(store_box_status(t->store, STR("N"), &st, &t->err), 0);
	assert_int_equal(st.uidvalidity, 0xfff00001);
	assert_true(account_has(t, "dovecot-uidvalidity.fff00001"));
	assert_true(str_eq(account_file(t, "dovecot-uidvalidity"), STR("fff00001")));
}

static void old_subscriptions_are_read_and_written_anew(void **state)
{
	struct account *t = *state;
	account_write_file(t, "subscriptions", "Foo.B&AOQ-r\nA\n\xff\n");
	assert_int_equal(store_box_subscribe(t->store, STR("A"), false, &t->err), 0);
	assert_true(str_eq(account_file(t, "subscriptions"), STR("V\t2\n\nFoo\tB&AOQ-r\n")));
	assert_int_equal(t->reports, 1);
}

static void changes_by_other_programs_are_noticed(void **state)
{
	struct account *t = *state;
	put_message(t, "cur/1000.M1P1.x:2,");
	put_message(t, "cur/1001.M1P1.x:2,S");
	struct store_view *v = account_view(t, "INBOX", 0);
	let_time_pass();
	account_sync(t, v, 0);

	rename_file(t, "cur/1000.M1P1.x:2,", "cur/1000.M1P1.x:2,F");
	struct store_events e = account_sync(t, v, 0);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.v[0].kind, STORE_EVENT_FLAGS);
	assert_int_equal(account_message(t, v, 1).flags & STORE_FLAGS_ALL, STORE_FLAGGED);

	let_time_pass();
	assert_int_equal(unlink(path_of(t, "cur/1001.M1P1.x:2,S")), 0);
	put_message(t, "new/1002.M1P1.x");
	e = account_sync(t, v, 0);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.v[0].kind, STORE_EVENT_EXPUNGED);
	assert_int_equal(e.exists, 2);
	assert_true(e.exists_changed);
	assert_int_equal(store_view_uid(v, 2), 3);
	assert_int_equal(e.recent, 3 - 2);
	store_view_close(v);
}

static void note_news(void *arg)
{
	++*(int *)arg;
}

static void a_view_is_told_at_once_what_other_programs_do(void **state)
{
	struct account *t = *state;
	int news = 0;
	put_message(t, "cur/1000.M1P1.x:2,");
	struct store_view *v = account_view(t, "INBOX", 0);
	store_view_watch(v, note_news, &news);
	put_message(t, "new/1001.M1P1.x");
	store_pool_notice(t->pool);
	assert_int_equal(news, 1);
	account_sync(t, v, STORE_SYNC_NO_DISK);
	assert_int_equal(store_view_count(v), 2);

	/* Our own doings are no news, wherever the files go. */
	account_settle(t);
	account_change(t, v, 1, STORE_FLAGGED);
	account_settle(t);
	account_append(t, "INBOX", MSG, STORE_SEEN);
	account_deliver(t, "INBOX", MSG);
	account_sync(t, v, STORE_SYNC_NO_DISK);
	account_settle(t);
	struct store_uids set = uids_of(t, 3, 4);
	assert_int_equal(store_view_remove(v, &set, &t->err), 2);
	account_settle(t);
	news = 0;
	store_pool_notice(t->pool);
	assert_int_equal(news, 0);

	rename_file(t, "cur/1000.M1P1.x:2,F", "cur/1000.M1P1.x:2,FS");
	store_pool_notice(t->pool);
	assert_int_equal(news, 1);
	account_sync(t, v, STORE_SYNC_NO_DISK);
	assert_int_equal(account_message(t, v, 1).flags & STORE_FLAGS_ALL,
			 STORE_FLAGGED | STORE_SEEN);
	store_view_close(v);
}

static void a_file_renamed_under_us_is_followed(void **state)
{
	struct account *t = *state;
	put_message(t, "cur/1000.M1P1.x:2,");
	put_message(t, "cur/1001.M1P1.x:2,");
	struct store_view *v = account_view(t, "INBOX", 0);
	rename_file(t, "cur/1000.M1P1.x:2,", "cur/1000.M1P1.x:2,R");
	assert_string_equal(account_text(t, v, 1).p, MSG);
	rename_file(t, "cur/1000.M1P1.x:2,R", "cur/1000.M1P1.x:2,");
	rename_file(t, "cur/1001.M1P1.x:2,", "cur/1001.M1P1.x:2,F");

	struct store_change c = { .op = STORE_FLAGS_ADD, .flags = STORE_SEEN };
	assert_int_equal(store_view_change(v, NULL, &c, NULL, &t->err), 0);
	assert_true(account_has(t, "cur/1000.M1P1.x:2,S"));
	assert_true(account_has(t, "cur/1001.M1P1.x:2,FS"));
	rename_file(t, "cur/1001.M1P1.x:2,FS", "cur/1001.M1P1.x:2,");
	assert_int_equal(store_view_remove(v, NULL, &t->err), 2);
	assert_int_equal(account_count_files(t, "cur"), 0);
	store_view_close(v);
}

static void copying_follows_a_renamed_file_too(void **state)
{
	struct account *t = *state;
	put_message(t, "cur/1000.M1P1.x:2,");
	assert_int_equal(store_box_create(t->store, STR("A"), &t->err), 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	rename_file(t, "cur/1000.M1P1.x:2,", "cur/1000.M1P1.x:2,R");
	struct store_copied done;
	struct store_copy_args args = { .to = STR("A"), .a = &t->a };
	assert_int_equal(store_view_copy(v, &args, &done, &t->err), 0);
	assert_int_equal(done.n, 1);
	assert_true(account_has(t, ".A/cur/1000.M1P1.x:2,R"));
	store_view_close(v);
}

static void uids_given_by_another_program_are_taken_over(void **state)
{
	struct account *t = *state;
	write_dovecot_account(t);
	struct store_view *v = account_view(t, "INBOX", 0);
	let_time_pass();
	account_sync(t, v, 0);
	int fd = open(path_of(t, "dovecot-uidlist"), O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(fd_write_all(fd, STR("7 :1795494400.M1P1.vm\n"), NULL), 0);
	close(fd);
	put_message(t, "new/1795494400.M1P1.vm");
	account_sync(t, v, 0);
	assert_int_equal(store_view_uid(v, 3), 7);

	account_write_file(t, "dovecot-uidlist",
			   "3 V1795494326 N10 G20841e38b511056bef35000083ecc375\n"
			   "1 :1795494325.M941524P13807.vm,S=18,W=21\n"
			   "2 :1795494326.M64360P13807.vm,S=18,W=21\n"
			   "7 :1795494400.M1P1.vm\n");
	assert_int_equal(account_append(t, "INBOX", MSG, 0), 10);
	store_view_close(v);
}

static void a_changed_uidvalidity_ends_the_views(void **state)
{
	struct account *t = *state;
	struct store_events e;
	write_dovecot_account(t);
	struct store_view *v = account_view(t, "INBOX", 0);
	account_write_file(t, "dovecot-uidlist",
			   "3 V77 N3 G20841e38b511056bef35000083ecc375\n"
			   "1 :1795494325.M941524P13807.vm,S=18,W=21\n");
	assert_int_equal(store_view_sync(v, 0, &t->a, &e, &t->err), -ESTALE);
	struct store_view *again = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(again), 2);
	assert_int_equal(store_view_uid(again, 2), 3);
	store_view_close(v);
	store_view_close(again);
}

static void a_lost_uidlist_is_written_again_while_it_is_known(void **state)
{
	struct account *t = *state;
	struct store_status before, after;
	write_dovecot_account(t);
	struct store_view *v = account_view(t, "INBOX", 0);
	store_view_status(v, &before);
	assert_int_equal(unlink(path_of(t, "dovecot-uidlist")), 0);
	account_sync(t, v, 0);
	store_view_close(v);
	account_reopen(t);
	v = account_view(t, "INBOX", 0);
	store_view_status(v, &after);
	assert_int_equal(after.uidvalidity, before.uidvalidity);
	assert_int_equal(after.uidnext, before.uidnext);
	assert_int_equal(store_view_uid(v, 2), 2);
	store_view_close(v);
}

static void damaged_lines_are_reported_and_only_theirs_renumbered(void **state)
{
	struct account *t = *state;
	static const char *const lists[] = {
		"1 :1795494325.M941524P13807.vm,S=18,W=21\ngarbage\n"
		"2 :1795494326.M64360P13807.vm,S=18,W=21\n",
		"2 :1795494326.M64360P13807.vm,S=18,W=21\n1 "
		":1795494325.M941524P13807.vm,S=18,W=21\n",
		"1 :1795494325.M941524P13807.vm,S=18,W=21\n2 :17954943",
		"1 :1795494325.M941524P13807.vm,S=18,W=21\n2 :\n",
		"1 :1795494325.M941524P13807.vm,S=18,W=21\n\n4294967295 :y\n",
		"1 :1795494325.M941524P13807.vm,S=18,W=21\n1 "
		":1795494326.M64360P13807.vm,S=18,W=21\n",
	};
	write_dovecot_account(t);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		account_write_file(
			t, "dovecot-uidlist",
			arena_printf(&t->a,
				     "3 V1795494326 N3 G20841e38b511056bef35000083ecc375\n%s",
				     lists[i])
				.p);
		t->reports = 0;
		account_reopen(t);
		struct store_view *v = account_view(t, "INBOX", 0);
		assert_int_equal(store_view_count(v), 2);
		assert_true(store_view_uid(v, 1) <= 2);
		/* An index knows the UIDs as well. */
		assert_int_equal(store_view_uid(v, 2), i && !account_with_index ? 3 : 2);
		assert_int_equal(t->reports, 1);
		store_view_close(v);
		account_reopen(t);
		v = account_view(t, "INBOX", 0);
		assert_int_equal(t->reports, 1);
		store_view_close(v);
	}
}

static void without_a_header_all_is_numbered_afresh(void **state)
{
	struct account *t = *state;
	static const char *const lists[] = {
		"", "\n", "3 V0 N1\n", "2 V1 N1\n", "3 V5 N4294967295\n", "\xff\xff\n1 :a\n"
	};
	struct store_status st;
	write_dovecot_account(t);
	uint32_t last = 1795494326;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		account_write_file(t, "dovecot-uidlist", lists[i]);
		account_reopen(t);
		struct store_view *v = account_view(t, "INBOX", 0);
		store_view_status(v, &st);
		assert_int_equal(store_view_count(v), 2);
		assert_int_equal(st.uidnext, 3);
		assert_true(st.uidvalidity > last);
		last = st.uidvalidity;
		store_view_close(v);
	}
}

static void two_files_with_one_name_become_two_messages(void **state)
{
	struct account *t = *state;
	put_message(t, "cur/1000.M1P1.x:2,");
	account_write_file(t, "cur/1000.M1P1.x:2,S", "other\n");
	struct store_view *v = account_view(t, "INBOX", 0);
	account_sync(t, v, 0);
	assert_int_equal(store_view_count(v), 2);
	assert_int_equal(account_text(t, v, 1).n + account_text(t, v, 2).n,
			 strlen(MSG) + strlen("other\r\n"));
	store_view_close(v);
}

static void a_second_link_of_a_file_is_removed(void **state)
{
	struct account *t = *state;
	put_message(t, "cur/1000.M1P1.x:2,");
	assert_int_equal(link(path_of(t, "cur/1000.M1P1.x:2,"), path_of(t, "new/1000.M1P1.x")), 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	account_sync(t, v, 0);
	let_time_pass();
	account_sync(t, v, 0);
	assert_int_equal(store_view_count(v), 1);
	assert_int_equal(account_count_files(t, "cur") + account_count_files(t, "new"), 1);
	assert_string_equal(account_text(t, v, 1).p, MSG);
	store_view_close(v);
}

static void odd_file_names_are_messages_too(void **state)
{
	struct account *t = *state;
	put_message(t, "cur/no-info");
	put_message(t, "cur/order:2,SF");
	put_message(t, "cur/tail:2,S,ext");
	put_message(t, "cur/one:1,exp");
	put_message(t, "cur/with blank:2,S");
	put_message(t, "new/flagged:2,S");
	put_message(t, "cur/wrong,S=x,W=9:2,");
	put_message(t, "cur/.hidden:2,");
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 7);
	for (uint32_t i = 1; i <= 7; i++)
		assert_string_equal(account_text(t, v, i).p, MSG);
	struct store_change c = { .op = STORE_FLAGS_ADD, .flags = STORE_DRAFT };
	assert_int_equal(store_view_change(v, NULL, &c, NULL, &t->err), 0);
	for (uint32_t i = 1; i <= 7; i++)
		assert_string_equal(account_text(t, v, i).p, MSG);
	store_view_close(v);
	account_reopen(t);
	v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 7);
	for (uint32_t i = 1; i <= 7; i++)
		assert_int_equal(account_message(t, v, i).flags & STORE_DRAFT, STORE_DRAFT);
	store_view_close(v);
}

static void a_size_the_name_lies_about_is_measured(void **state)
{
	struct account *t = *state;
	put_message(t, "cur/1000.M1P1.x,S=5,W=6:2,");
	put_message(t, "cur/1001.M1P1.x,S=18,W=18:2,");
	put_message(t, "cur/1002.M1P1.x,S=18,W=40:2,");
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_string_equal(account_text(t, v, 1).p, MSG);
	assert_int_equal(t->reports, 1);

	struct store_file file;
	struct store_reader r;
	char out[100];
	assert_int_equal(store_view_open_message(v, 3, &file, &t->err), 0);
	store_reader_init(&r, &file, &t->a);
	assert_int_equal(store_reader_read(&r, out, sizeof(out)), 40);
	assert_int_equal(r.error, -EBADMSG);
	assert_memory_equal(out + 21, "                   ", 19);
	close(file.fd);
	assert_int_equal(store_view_measure(v, 3, &t->err), 0);
	assert_string_equal(account_text(t, v, 3).p, MSG);
	store_view_close(v);
}

static void another_programs_lock_is_waited_for_and_then_respected(void **state)
{
	struct account *t = *state;
	struct store_append *ap;
	struct store_appended done;
	struct store_append_meta m = { .date = INT64_MIN };
	struct store_append_args args = { .a = &t->a };
	struct store_view *v = account_view(t, "INBOX", 0);
	account_write_file(t, "dovecot-uidlist.lock", "1:elsewhere");

	account_deliver(t, "INBOX", MSG); /* needs no lock: it is numbered later */
	assert_int_equal(account_sync(t, v, 0).exists, 0);
	assert_int_equal(store_append_begin(t->store, STR("INBOX"), &ap, &t->err), 0);
	assert_int_equal(store_append_message(ap, &m, &t->err), 0);
	assert_int_equal(store_append_finish(ap, &args, &done, &t->err), -EAGAIN);
	assert_int_equal(account_count_files(t, "tmp"), 0);
	assert_int_equal(unlink(path_of(t, "dovecot-uidlist.lock")), 0);
	assert_int_equal(account_sync(t, v, 0).exists, 1);
	store_view_close(v);
}

static void a_lock_nobody_holds_any_more_is_taken_over(void **state)
{
	struct account *t = *state;
	char host[65] = "", text[100];
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	pid_t gone = fork();
	if (gone == 0)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	snprintf(text, sizeof(text), "%d:%s", (int)gone, host);

	account_write_file(t, "dovecot-uidlist.lock", text);
	assert_int_equal(account_append(t, "INBOX", MSG, 0), 1);
	account_write_file(t, "dovecot-keywords.lock", "");
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_keyword(v, STR("x"), true, &t->err), -EAGAIN);
	store_view_close(v);
}

static void an_append_whose_keyword_cannot_be_kept_fails(void **state)
{
	struct account *t = *state;
	struct str keyword = STR("x");
	struct store_append_meta m = { .mark = { 0, &keyword, 1 }, .date = INT64_MIN };
	struct store_append_args args = { .a = &t->a };
	struct store_appended done;
	struct store_append *ap;

	account_append(t, "INBOX", MSG, 0);
	account_write_file(t, "dovecot-keywords.lock", "");
	assert_int_equal(store_append_begin(t->store, STR("INBOX"), &ap, &t->err), 0);
	assert_int_equal(store_append_message(ap, &m, &t->err), 0);
	assert_int_equal(store_append_write(ap, STR(MSG), &t->err), 0);
	assert_int_equal(store_append_finish(ap, &args, &done, &t->err), -EAGAIN);
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 1);
	store_view_close(v);
}

static void a_file_that_never_left_tmp_is_no_message(void **state)
{
	struct account *t = *state;
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	account_write_file(t, "tmp/1000.M1P1.x", "half a mess");
	assert_int_equal(utimensat(AT_FDCWD, path_of(t, "tmp/1000.M1P1.x"), old, 0), 0);
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 0);
	assert_true(account_has(t, "tmp/1000.M1P1.x")); /* its inode changed a moment ago */
	store_view_close(v);
}

static void write_bytes(struct account *t, const char *name, struct str bytes)
{
	account_write_file(t, name, "");
	auto_close int fd = open(path_of(t, name), O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
}

/* A container that is made anew after a crash has another name. */
static void a_delivery_is_found_under_the_name_of_another_host(void **state)
{
	struct account *t = *state;
	struct store_delivered done;
	int fd = text_fd(STR(MSG));
	struct store_delivery d = account_delivery(t, "INBOX", fd, strlen(MSG));

	d.id = (uint64_t)1700000000000001 << 12;
	d.part = 1;
	account_write_file(t, "new/1700000000.M1P0_1.before,S=18,W=21", MSG);
	account_write_file(t, "new/1700000000.M1P0_11.before,S=18,W=21", MSG);
	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	assert_true(done.repeated);
	d.part = 2;
	assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	assert_false(done.repeated);
	assert_int_equal(account_count_files(t, "new"), 3);
	close(fd);
}

static void a_torn_delivery_is_written_again(void **state)
{
	struct account *t = *state;
	static const struct str torn[] = {
		STR_INIT(""),
		STR_INIT("Subject: x\n\nhel"),
		STR_INIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	};
	struct store_delivered done;
	int fd = text_fd(STR(MSG));
	for (size_t i = 0; i < ARRAY_LEN(torn); i++) {
		struct store_delivery d = account_delivery(t, "INBOX", fd, strlen(MSG));
		d.id = (uint64_t)(1700000000000001 + i) << 12;
		char name[64];
		snprintf(name, sizeof(name), "new/1700000000.M%zuP0.host,S=18,W=21", i + 1);
		write_bytes(t, name, torn[i]);
		assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
		assert_true(done.repeated);
	}
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), ARRAY_LEN(torn));
	for (uint32_t i = 1; i <= ARRAY_LEN(torn); i++)
		assert_string_equal(account_text(t, v, i).p, MSG);
	store_view_close(v);
	close(fd);
}

static void the_uidlist_does_not_collect_dead_lines_forever(void **state)
{
	struct account *t = *state;
	struct store_view *v = account_view(t, "INBOX", 0);
	for (int i = 0; i < 300; i++) {
		account_append(t, "INBOX", MSG, STORE_DELETED);
		if (i % 10 == 9) {
			account_sync(t, v, 0);
			assert_true(store_view_expunge(v, NULL, &t->err) > 0);
		}
	}
	store_view_close(v);
	assert_true(account_file(t, "dovecot-uidlist").n < 120 * 60);
	account_reopen(t);
	assert_int_equal(account_append(t, "INBOX", MSG, 0), 301);
}

/* The clock was set back and the server started anew. */
static void an_id_that_comes_again_replaces_nothing(void **state)
{
	struct account *t = *state;
	static const char *const texts[] = { MSG "aaaa\r\n", MSG "bbbb\r\n" };
	struct store_delivered done;

	for (uint64_t id = 1; id <= 2; id++) { /* the second time it is loaded */
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			int fd = text_fd(str_from(texts[i]));
			struct store_delivery d = { .box = STR("INBOX"),
						    .id = id << 40,
						    .create = true,
						    .fd = fd,
						    .length = strlen(texts[i]),
						    .first_attempt = true };
			assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
			close(fd);
		}
		assert_int_equal(account_count_files(t, "new"), 2);
		store_view_close(account_view(t, "INBOX", 0));
		assert_int_equal(account_count_files(t, "new"), 0);
	}
}

/* Deliver until killed, telling each id that was done. */
static void deliver_until_killed(struct account *t, uint64_t id, int report)
{
	static const char body[] = MSG "some more\r\nlines\r\n";
	struct store_delivered done;
	int fd = text_fd(str_of(body, sizeof(body) - 1));
	for (;; id += 1 << 12) {
		struct store_delivery d = { .box = STR("INBOX"),
					    .id = id,
					    .create = true,
					    .fd = fd,
					    .length = sizeof(body) - 1,
					    .first_attempt = true };
		if (store_deliver(t->store, &d, &done, &t->err) < 0 ||
		    write(report, &id, sizeof(id)) != sizeof(id))
			_exit(1);
	}
}

static void replay(struct account *t, uint64_t from, uint64_t to)
{
	static const char body[] = MSG "some more\r\nlines\r\n";
	struct store_delivered done;
	int fd = text_fd(str_of(body, sizeof(body) - 1));
	for (uint64_t id = from; id <= to; id += 1 << 12) {
		struct store_delivery d = {
			.box = STR("INBOX"), .id = id, .fd = fd, .length = sizeof(body) - 1
		};
		assert_int_equal(store_deliver(t->store, &d, &done, &t->err), 0);
	}
	close(fd);
}

static void nothing_is_lost_or_doubled_when_the_process_is_killed(void **state)
{
	struct account *t = *state;
	uint64_t first = (uint64_t)1700000000 * 1000000 << 12, next = first;
	uint32_t uidnext = 1;
	srand(1);
	for (int round = 0; round < 12; round++) {
		int report[2];
		assert_int_equal(pipe(report), 0);
		account_close(t);
		pid_t child = fork();
		if (child == 0) {
			account_open(t);
			(void)account_view(t, "INBOX", 0); /* keeps it loaded */
			deliver_until_killed(t, next, report[1]);
		}
		close(report[1]);
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 + rand() % 20000000 }, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		uint64_t id, last = next;
		while (read(report[0], &id, sizeof(id)) == sizeof(id))
			last = id;
		close(report[0]);

		account_open(t);
		next = last + (3 << 12);
		replay(t, first, next - (1 << 12));
		struct store_view *v = account_view(t, "INBOX", 0);
		assert_int_equal(store_view_count(v), (next - first) >> 12);
		for (uint32_t i = 2; i <= store_view_count(v); i++)
			assert_true(store_view_uid(v, i) > store_view_uid(v, i - 1));
		struct store_status st;
		store_view_status(v, &st);
		assert_true(st.uidnext >= uidnext);
		uidnext = st.uidnext;
		store_view_close(v);
	}
	struct store_view *v = account_view(t, "INBOX", 0);
	for (uint32_t i = 1; i <= store_view_count(v); i++)
		assert_string_equal(account_text(t, v, i).p, MSG "some more\r\nlines\r\n");
	store_view_close(v);
	assert_int_equal(t->reports, 0);
}

static void the_directory_of_an_account_may_be_made_anew(void **state)
{
	struct account *t = *state;
	struct store *again;
	account_append(t, "INBOX", MSG, 0);
	assert_int_equal(rename(t->path, arena_printf(&t->a, "%s.old", t->path).p), 0);
	assert_int_equal(store_open(t->pool, str_from(t->path), &again, &t->err), 0);
	store_close(t->store);
	t->store = again;
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 0);
	store_view_close(v);
}

static void an_inbox_without_directories_gets_them_at_the_next_delivery(void **state)
{
	static const char *const parts[] = { "cur", "new", "tmp" };
	struct account *t = *state;
	store_close(t->store);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		assert_int_equal(rmdir(arena_printf(&t->a, "%s/%s", t->path, parts[i]).p), 0);

	/* Nobody uses the account, but it is still known. */
	assert_int_equal(store_open(t->pool, str_from(t->path), &t->store, &t->err), 0);
	account_deliver(t, "INBOX", MSG);
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 1);
	store_view_close(v);
}

static void paths_of_accounts_are_absolute_and_plain(void **state)
{
	struct account *t = *state;
	struct store *s;
	static const struct str paths[] = {
		STR_INIT(""),	     STR_INIT("x"),    STR_INIT("/"),
		STR_INIT("/a/../b"), STR_INIT("/a/."), STR_INIT("/a\0b")
	};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_int_equal(store_open(t->pool, paths[i], &s, &t->err), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, account_setup, account_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_file_tells_its_sizes_and_flags),
		TEST(sieve_marks_put_the_file_into_cur),
		TEST(a_wire_copy_is_kept_where_line_ends_would_be_lost),
		TEST(folders_have_their_marker_and_spelling),
		TEST(a_folder_named_in_plain_utf8_is_found),
		TEST(an_account_of_dovecot_opens_with_everything_kept),
		TEST(what_we_do_not_know_is_left_as_it_was),
		TEST(a_header_without_its_line_end_is_written_again),
		TEST(a_new_mailbox_gets_a_larger_uidvalidity_than_dovecot_gave),
		TEST(old_subscriptions_are_read_and_written_anew),
		TEST(changes_by_other_programs_are_noticed),
		TEST(a_view_is_told_at_once_what_other_programs_do),
		TEST(a_file_renamed_under_us_is_followed),
		TEST(copying_follows_a_renamed_file_too),
		TEST(uids_given_by_another_program_are_taken_over),
		TEST(a_changed_uidvalidity_ends_the_views),
		TEST(a_lost_uidlist_is_written_again_while_it_is_known),
		TEST(damaged_lines_are_reported_and_only_theirs_renumbered),
		TEST(without_a_header_all_is_numbered_afresh),
		TEST(two_files_with_one_name_become_two_messages),
		TEST(a_second_link_of_a_file_is_removed),
		TEST(odd_file_names_are_messages_too),
		TEST(a_size_the_name_lies_about_is_measured),
		TEST(another_programs_lock_is_waited_for_and_then_respected),
		TEST(a_lock_nobody_holds_any_more_is_taken_over),
		TEST(an_append_whose_keyword_cannot_be_kept_fails),
		TEST(a_file_that_never_left_tmp_is_no_message),
		TEST(a_delivery_is_found_under_the_name_of_another_host),
		TEST(a_torn_delivery_is_written_again),
		TEST(the_uidlist_does_not_collect_dead_lines_forever),
		TEST(an_id_that_comes_again_replaces_nothing),
		TEST(nothing_is_lost_or_doubled_when_the_process_is_killed),
		TEST(the_directory_of_an_account_may_be_made_anew),
		TEST(an_inbox_without_directories_gets_them_at_the_next_delivery),
		TEST(paths_of_accounts_are_absolute_and_plain),
	};
	int failed = cmocka_run_group_tests_name("store/maildir", tests, NULL, NULL);
	account_with_index = true;
	return failed + cmocka_run_group_tests_name("store/maildir with index", tests, NULL, NULL);
}
