#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "core/metrics.h"

static struct metrics_snapshot taken(void)
{
	struct metrics_snapshot s;
	metrics_take(&s);
	return s;
}

static void a_snapshot_holds_what_was_counted(void **state)
{
	(void)state;
	metric_add(METRIC_SMTP_CONNECTIONS, 3);
	metric_add(METRIC_SMTP_SESSIONS, 2);
	metric_sub(METRIC_SMTP_SESSIONS, 1);
	metric_set(METRIC_QUEUE_MESSAGES, 7);

	struct metrics_snapshot s = taken();
	assert_int_equal(s.slots[METRIC_SMTP_CONNECTIONS], 3);
	assert_int_equal(s.slots[METRIC_SMTP_SESSIONS], 1);
	assert_int_equal(s.slots[METRIC_QUEUE_MESSAGES], 7);
}

static struct str written(struct buf *b, const char *role, const struct metrics_snapshot *s)
{
	buf_init(b, NULL, 1 << 20);
	metrics_write(b, &(struct metrics_source){ role, 1, s }, 1);
	return buf_str(b);
}

static bool has(struct str text, const char *line)
{
	return str_find(text, str_from(line)) >= 0;
}

static void a_role_shows_its_own_metrics_under_one_head_per_name(void **state)
{
	(void)state;
	struct metrics_snapshot s = { 0 };
	auto_buf struct buf b;
	s.slots[METRIC_QUEUE_BOUNCED] = 4;
	struct str text = written(&b, "queue", &s);

	assert_true(has(text, "# HELP posthorn_queue_recipients_total Recipients by outcome of an "
			      "attempt.\n# TYPE posthorn_queue_recipients_total counter\n"
			      "posthorn_queue_recipients_total{role=\"queue\",instance=\"1\","
			      "outcome=\"sent\"} 0\n"));
	assert_true(has(text, "total{role=\"queue\",instance=\"1\",outcome=\"deferred\"} 0\n"
			      "posthorn_queue_recipients_total{role=\"queue\",instance=\"1\","
			      "outcome=\"bounced\"} 4\n"));
	assert_true(has(text, "posthorn_fibers{role=\"queue\",instance=\"1\"} 0\n"));
	assert_false(has(text, "posthorn_smtp_sessions{"));
}

static void histogram_buckets_add_up(void **state)
{
	(void)state;
	auto_buf struct buf b;
	metric_observe(METRIC_COMMIT_TIME, 0);
	metric_observe(METRIC_COMMIT_TIME, 5);
	metric_observe(METRIC_COMMIT_TIME, 6);
	metric_observe(METRIC_COMMIT_TIME, 60001);
	struct metrics_snapshot s = taken();
	struct str text = written(&b, "queue", &s);

	assert_true(
		has(text, "commit_seconds_bucket{role=\"queue\",instance=\"1\",le=\"0.001\"} 1\n"));
	assert_true(
		has(text, "commit_seconds_bucket{role=\"queue\",instance=\"1\",le=\"0.005\"} 2\n"));
	assert_true(
		has(text, "commit_seconds_bucket{role=\"queue\",instance=\"1\",le=\"60\"} 3\n"));
	assert_true(
		has(text, "commit_seconds_bucket{role=\"queue\",instance=\"1\",le=\"+Inf\"} 4\n"));
	assert_true(has(text, "commit_seconds_sum{role=\"queue\",instance=\"1\"} 60.012\n"));
	assert_true(has(text, "commit_seconds_count{role=\"queue\",instance=\"1\"} 4\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_holds_what_was_counted),
		cmocka_unit_test(a_role_shows_its_own_metrics_under_one_head_per_name),
		cmocka_unit_test(histogram_buckets_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
