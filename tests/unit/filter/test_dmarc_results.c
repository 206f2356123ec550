#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "filter/dkim_verify.h"
#include "filter/dmarc.h"
#include "filter/dmarc_results.h"
#include "filter/spf.h"

static char dir[] = "/tmp/posthorn-dmarc-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	memcpy(strrchr(dir, '-'), "-XXXXXX", 7);
	return mkdtemp(dir) ? 0 : -1;
}

static const char *path(struct arena *a, const char *name)
{
	return arena_printf(a, "%s/%s", dir, name).p;
}

static int remove_dir(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;

	(void)unlink(path(&a, "dmarc-results"));
	(void)unlink(path(&a, "dmarc-results.old"));
	return rmdir(dir);
}

static struct str contents(struct arena *a, const char *name)
{
	struct str text = STR_NONE;

	(void)!fd_read_file(path(a, name), a, 64 << 20, &text, NULL);
	return text;
}

struct world {
	struct dmarc_record record;
	struct dmarc_answer answer;
	struct spf_answer spf;
	struct dkim_verifier dkim;
	struct dmarc_result_line line;
};

static void make_world(struct world *w)
{
	*w = (struct world){ .spf = { .result = SPF_PASS, .domain = STR("bounce.example") },
			     .dkim = { .n = 2 } };
	assert_int_equal(dmarc_record_parse(STR("v=DMARC1; p=reject; sp=quarantine; aspf=s; "
						"pct=50; rua=mailto:a@b.example"),
					    &w->record),
			 0);
	w->dkim.v[0] = (struct dkim_signature){ .result = DKIM_FAIL,
						.domain = STR("a.example"),
						.selector = STR("s 1;\tx") };
	w->dkim.v[1] = (struct dkim_signature){ .result = DKIM_NEUTRAL };
	w->answer = (struct dmarc_answer){ .result = DMARC_FAIL,
					   .policy = DMARC_REJECT,
					   .disposition = DMARC_REJECT,
					   .domain = STR("example.org"),
					   .record = w->record };
	w->line = (struct dmarc_result_line){ .answer = &w->answer,
					      .disposition = DMARC_REJECT,
					      .client_address = STR("2001:db8::1"),
					      .author_domain = STR("news.example.org"),
					      .sender = STR("x@bounce.example"),
					      .spf = &w->spf,
					      .dkim = &w->dkim,
					      .now = 1700000000 };
}

#define BEFORE                                                                                     \
	"1700000000\texample.org\tp=reject sp=quarantine np=quarantine adkim=r aspf=s pct=50 "     \
	"t=n\t2001:db8::1\t"

static void a_line_says_what_a_report_needs(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dmarc_results *r = dmarc_results_new(dir);
	struct world w;

	make_world(&w);
	dmarc_results_add(r, &w.line);
	w.line.disposition = DMARC_ACCEPT;
	dmarc_results_add(r, &w.line);
	w.line.vouched = true;
	dmarc_results_add(r, &w.line);
	w.line = (struct dmarc_result_line){ .answer = &w.answer,
					     .client_address = STR("192.0.2.1"),
					     .author_domain = STR("example.org"),
					     .dkim = &w.dkim,
					     .now = 1700000000 };
	w.answer.result = DMARC_PASS;
	w.answer.dkim_aligned = true;
	w.dkim.n = 0;
	dmarc_results_add(r, &w.line);
	dmarc_results_free(r);
	struct str text = contents(&a, "dmarc-results");
	assert_string_equal(
		arena_cstr(&a, text), BEFORE
		"reject\tfail\tfail\t-\tnews.example.org\tbounce.example\t"
		"bounce.example mfrom pass\ta.example s?1??x fail;- - neutral\n" BEFORE
		"none\tfail\tfail\tlocal_policy\tnews.example.org\tbounce.example\t"
		"bounce.example mfrom pass\ta.example s?1??x fail;- - neutral\n" BEFORE
		"none\tfail\tfail\ttrusted_forwarder\tnews.example.org\tbounce.example\t"
		"bounce.example mfrom pass\ta.example s?1??x fail;- - neutral\n"
		"1700000000\texample.org\tp=reject sp=quarantine np=quarantine adkim=r aspf=s "
		"pct=50 t=n\t192.0.2.1\tnone\tpass\tfail\t-\texample.org\t-\t-\t-\n");
}

static void only_who_asks_for_reports_is_recorded(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dmarc_results *r = dmarc_results_new(dir), *none = dmarc_results_new(NULL);
	struct world w;

	make_world(&w);
	dmarc_results_add(none, &w.line);
	w.answer.result = DMARC_TEMPERROR;
	dmarc_results_add(r, &w.line);
	w.answer.result = DMARC_FAIL;
	w.answer.record.wants_reports = false;
	dmarc_results_add(r, &w.line);
	dmarc_results_free(r);
	dmarc_results_free(none);
	assert_int_equal(contents(&a, "dmarc-results").n, 0);
}

static void the_file_does_not_grow_for_ever(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dmarc_results *r = dmarc_results_new(dir);
	struct world w;

	make_world(&w);
	for (unsigned i = 0; i < 100000; i++)
		dmarc_results_add(r, &w.line);
	dmarc_results_free(r);
	size_t current = contents(&a, "dmarc-results").n, old = contents(&a, "dmarc-results.old").n;
	assert_in_range(current, 1, 8 << 20);
	assert_in_range(old, 8 << 20, (8 << 20) + 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_says_what_a_report_needs, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(only_who_asks_for_reports_is_recorded, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(the_file_does_not_grow_for_ever, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
