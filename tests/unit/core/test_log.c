#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/log.h"
#include "core/log_line.h"
#include "core/log_tail.h"

/* 2026-11-24 04:02:29.000123 UTC */
#define MOMENT 1795492949000123

#define HEAD "2026-11-24T04:02:29.000123+00:00 mx posthorn/"

static struct log_line line_of(enum log_event_id id, const struct log_field *fields,
			       const struct log_context *context)
{
	return (struct log_line){
		.time = MOMENT,
		.event = &log_events[id],
		.role = "front",
		.host = STR("mx"),
		.pid = 7,
		.fields = fields,
		.context = context,
	};
}

static void assert_lines(const struct log_line *l, const char *text, const char *json)
{
	auto_buf struct buf b;
	buf_init(&b, NULL, LOG_LINE_MAX);
	if (text) {
		log_line_write_text(&b, l);
		assert_string_equal(buf_cstr(&b), text);
	}
	buf_clear(&b);
	if (json) {
		log_line_write_json(&b, l);
		assert_string_equal(buf_cstr(&b), json);
	}
}

#define FIELDS(...) ((const struct log_field[]){ __VA_ARGS__, { .key = NULL } })

static void a_template_is_filled_from_fields_and_context(void **state)
{
	(void)state;
	struct log_context c = { .tag = "submission/smtpd", .count = 0 };
	log_context_set(&c, LOG_CSTR("client", "a.test[192.0.2.1]"));
	log_context_set(&c, LOG_CSTR("session", "s1"));
	struct log_line l =
		line_of(LOG_SMTP_REJECTED,
			FIELDS(LOG_CSTR("verb", "RCPT"), LOG_CSTR("reply", "550 5.1.1 no"),
			       LOG_CSTR("from", ""), LOG_CSTR("to", "b@x.test"),
			       LOG_CSTR("proto", "ESMTP"), LOG_INT("code", 550)),
			&c);

	assert_lines(&l,
		     HEAD "submission/smtpd[7]: NOQUEUE: reject: RCPT from a.test[192.0.2.1]: "
			  "550 5.1.1 no to=<b@x.test> proto=ESMTP code=550\n",
		     "{\"time\":\"2026-11-24T04:02:29.000123+00:00\",\"level\":\"info\","
		     "\"event\":\"smtp.rejected\",\"role\":\"front\",\"tag\":\"submission/smtpd\","
		     "\"pid\":7,\"host\":\"mx\",\"verb\":\"RCPT\",\"reply\":\"550 5.1.1 no\","
		     "\"from\":\"\",\"to\":\"b@x.test\",\"proto\":\"ESMTP\",\"code\":550,"
		     "\"client\":\"a.test[192.0.2.1]\",\"session\":\"s1\"}\n");
}

static void lines_above_info_show_the_whole_context(void **state)
{
	(void)state;
	struct log_context outer = { 0 }, inner = { .parent = &outer };
	log_context_set(&outer, LOG_CSTR("session", "old"));
	log_context_set(&outer, LOG_CSTR("client", "c"));
	log_context_set(&inner, LOG_CSTR("session", "new one"));
	struct log_line l =
		line_of(LOG_CALL_FAILED, FIELDS(LOG_CSTR("what", "auth.resolve")), &inner);

	assert_lines(&l, HEAD "front[7]: warning: auth.resolve:  session=\"new one\" client=c\n",
		     NULL);
}

static void bytes_of_a_peer_cannot_forge_anything(void **state)
{
	static const struct {
		struct str value;
		const char *text, *json;
	} cases[] = {
		{ STR_INIT("a\nb\r"), "a\\x0ab\\x0d", "a\\u000ab\\u000d" },
		{ STR_INIT("a> to=<b"), "a\\x3e to=<b", "a> to=<b" },
		{ STR_INIT("\\x0a"), "\\x5cx0a", "\\\\x0a" },
		{ STR_INIT("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ STR_INIT("\xff\xc3"), "\\xff\\xc3", "\\ufffd\\ufffd" },
		{ STR_INIT("\xe2\x80\xae!"), "\\xe2\\x80\\xae!", "\\ufffd\\ufffd\\ufffd!" },
		{ STR_INIT("\x1b[31m\"\0"), "\\x1b[31m\"\\x00", "\\u001b[31m\\\"\\u0000" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct log_line l =
			line_of(LOG_LOGIN_REFUSED, FIELDS(LOG_STR("user", cases[i].value)), NULL);
		char text[256], json[512];
		snprintf(text, sizeof(text), HEAD "front[7]: warning: : user=<%s>, rip=\n",
			 cases[i].text);
		snprintf(json, sizeof(json),
			 "{\"time\":\"2026-11-24T04:02:29.000123+00:00\",\"level\":\"warn\","
			 "\"event\":\"login.refused\",\"role\":\"front\",\"tag\":\"front\",\"pid\":"
			 "7,"
			 "\"host\":\"mx\",\"user\":\"%s\"}\n",
			 cases[i].json);
		assert_lines(&l, text, json);
	}
}

static void long_values_and_long_lines_are_cut(void **state)
{
	(void)state;
	static char huge[LOG_VALUE_MAX * 2];
	memset(huge, 'x', sizeof(huge));
	struct str value = str_of(huge, sizeof(huge));
	struct log_line l =
		line_of(LOG_DEBUG, FIELDS(LOG_STR("text", value), LOG_STR("b", value)), NULL);
	auto_buf struct buf b;

	buf_init(&b, NULL, 700);
	log_line_write_text(&b, &l);
	assert_true(b.n < LOG_VALUE_MAX * 2);
	assert_true(str_ends(buf_str(&b), STR("...\n")));
	buf_clear(&b);
	log_line_write_json(&b, &l);
	assert_true(str_ends(buf_str(&b), STR("x...\",\"cut\":true}\n")));
}

static void every_template_is_well_formed(void **state)
{
	(void)state;
	for (size_t i = 0; i < LOG_EVENT_COUNT; i++) {
		int brace = 0, bracket = 0;
		assert_non_null(log_events[i].name);
		for (const char *p = log_events[i].text; *p; p++) {
			brace += *p == '{' ? 1 : *p == '}' ? -1 : 0;
			bracket += *p == '[' ? 1 : *p == ']' ? -1 : 0;
			assert_true(brace >= 0 && brace <= 1 && bracket >= 0 && bracket <= 1);
		}
		assert_int_equal(brace, 0);
		assert_int_equal(bracket, 0);
	}
}

static struct str contents(int fd, struct arena *a)
{
	struct str s;
	assert_int_equal(fd_read_all(fd, a, 1 << 20, &s, NULL), 0);
	return s;
}

static void lines_are_written_when_flushed(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_close int fd = memfd_create("log", MFD_CLOEXEC);
	struct log_context c;

	log_init(&(struct log_config){
		.role = "front", .host = STR("mx"), .level = LOG_LEVEL_INFO, .fd = fd });
	log_context_enter(&c, "smtpd");
	log_context_set(&c, LOG_CSTR("client", "x[::1]"));
	log_event(LOG_SMTP_CONNECT);
	log_event(LOG_DEBUG, LOG_CSTR("text", "not wanted"));
	log_context_leave(&c);
	assert_int_equal(contents(fd, &a).n, 0);

	log_flush();
	struct str line = str_chomp(contents(fd, &a));
	assert_true(str_ends(line, STR(": connect from x[::1]")));
	assert_true(str_find(line, STR(" mx posthorn/smtpd[")) > 0);
}

static void a_full_disk_sends_the_lines_to_standard_error(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	auto_close int saved = dup(STDERR_FILENO);
	auto_close int err = memfd_create("err", MFD_CLOEXEC);
	assert_true(full >= 0);

	dup2(err, STDERR_FILENO);
	log_init(&(struct log_config){
		.role = "queue", .host = STR("mx"), .level = LOG_LEVEL_INFO, .fd = full });
	log_event(LOG_QUEUE_REMOVED, LOG_CSTR("id", "3T0"));
	log_flush();
	dup2(saved, STDERR_FILENO);
	assert_true(str_ends(contents(err, &a), STR(": 3T0: removed\n")));
}

/* A log file in a directory of its own, and a pipe as standard output. */
struct tail_fixture {
	char dir[32], path[64], old[64];
	struct log_tail tail;
	int out[2];
	char seen[256];
};

static void append(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static const char *seen(struct tail_fixture *f)
{
	ssize_t n = log_tail_copy(&f->tail, f->out[1], NULL);
	assert_in_range(n, 0, sizeof(f->seen) - 1);
	if (n > 0)
		assert_int_equal(read(f->out[0], f->seen, sizeof(f->seen) - 1), n);
	f->seen[n] = '\0';
	return f->seen;
}

static int tail_setup(void **state)
{
	static struct tail_fixture f;
	snprintf(f.dir, sizeof(f.dir), "/tmp/posthorn-tail-XXXXXX");
	if (!mkdtemp(f.dir) || pipe2(f.out, O_CLOEXEC) < 0)
		return -1;
	snprintf(f.path, sizeof(f.path), "%s/mail.log", f.dir);
	snprintf(f.old, sizeof(f.old), "%s/mail.log.1", f.dir);
	append(f.path, "before\n");
	log_tail_init(&f.tail, f.path);
	*state = &f;
	return 0;
}

static int tail_teardown(void **state)
{
	struct tail_fixture *f = *state;
	log_tail_done(&f->tail);
	close(f->out[0]);
	close(f->out[1]);
	unlink(f->path);
	unlink(f->old);
	return rmdir(f->dir);
}

static void tail_shows_only_what_is_appended(void **state)
{
	struct tail_fixture *f = *state;

	assert_string_equal(seen(f), "");
	append(f->path, "one\n");
	assert_string_equal(seen(f), "one\n");
	assert_string_equal(seen(f), "");
}

static void tail_follows_a_truncated_file(void **state)
{
	struct tail_fixture *f = *state;

	assert_int_equal(truncate(f->path, 0), 0);
	append(f->path, "new\n");
	assert_string_equal(seen(f), "new\n");
}

static void tail_finishes_a_renamed_file_and_goes_on_with_the_new_one(void **state)
{
	struct tail_fixture *f = *state;

	append(f->path, "last\n");
	assert_int_equal(rename(f->path, f->old), 0);
	append(f->old, "late\n");
	assert_string_equal(seen(f), "last\nlate\n");
	append(f->path, "first\n");
	assert_string_equal(seen(f), "first\n");
}

static void tail_never_blocks_on_a_full_pipe(void **state)
{
	struct tail_fixture *f = *state;
	static char block[65537];
	memset(block, 'x', sizeof(block) - 1);

	append(f->path, block);
	append(f->path, "end");
	ssize_t n = log_tail_copy(&f->tail, f->out[1], NULL);
	assert_in_range(n, 4096, 65536);
	assert_int_equal(log_tail_copy(&f->tail, f->out[1], NULL), 0);

	assert_int_equal(read(f->out[0], block, sizeof(block)), n);
	ssize_t rest = log_tail_copy(&f->tail, f->out[1], NULL);
	assert_int_equal(n + rest, sizeof(block) - 1 + strlen("end"));
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
#define TAIL_TEST(fn) cmocka_unit_test_setup_teardown(fn, tail_setup, tail_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_is_filled_from_fields_and_context),
		cmocka_unit_test(lines_above_info_show_the_whole_context),
		cmocka_unit_test(bytes_of_a_peer_cannot_forge_anything),
		cmocka_unit_test(long_values_and_long_lines_are_cut),
		cmocka_unit_test(every_template_is_well_formed),
		cmocka_unit_test(lines_are_written_when_flushed),
		cmocka_unit_test(a_full_disk_sends_the_lines_to_standard_error),
		TAIL_TEST(tail_shows_only_what_is_appended),
		TAIL_TEST(tail_follows_a_truncated_file),
		TAIL_TEST(tail_finishes_a_renamed_file_and_goes_on_with_the_new_one),
		TAIL_TEST(tail_never_blocks_on_a_full_pipe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
