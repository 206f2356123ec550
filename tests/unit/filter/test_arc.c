#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filter/arc.h"

static void only_the_result_of_dmarc_itself_counts(void **state)
{
	(void)state;
	static const struct {
		struct str results;
		bool vouches;
	} cases[] = {
		{ STR_INIT(" i=1; mx.list.example; dmarc=pass"), true },
		{ STR_INIT(" i=1; mx.list.example; spf=pass smtp.mailfrom=a.example;\r\n"
			   "\tDMARC (x) = (y) Pass (p=none) header.from=a.example"),
		  true },
		{ STR_INIT(" i=1; mx.list.example 1;dmarc/1=pass"), true },
		{ STR_INIT(" i=1; mx.list.example; dmarc=fail"), false },
		{ STR_INIT(" i=1; mx.list.example; none"), false },
		{ STR_INIT(" i=1; mx.list.example; dmarc=passed"), false },
		{ STR_INIT(" i=1; mx.list.example; xdmarc=pass"), false },
		/* What the sender chose: his address, a comment, a quoted string. */
		{ STR_INIT(" i=1; mx.list.example; dmarc=fail smtp.mailfrom=dmarc=pass@a.example"),
		  false },
		{ STR_INIT(" i=1; mx.list.example; spf=pass smtp.mailfrom=dmarc=pass@a.example"),
		  false },
		{ STR_INIT(" i=1; mx.list.example; spf=pass (x; dmarc=pass; y)"), false },
		{ STR_INIT(" i=1; mx.list.example; spf=pass smtp.mailfrom=\"x; dmarc=pass; \"@a.b"),
		  false },
		{ STR_INIT(" i=1; mx.list.example; dmarc=fail; dmarc=pass"), false },
		{ STR_INIT(" i=1; mx.list.example; dmarc=pass; dmarc=fail"), false },
		{ STR_INIT(""), false },
	};
	struct dkim_signature seal = { .domain = STR("list.example") };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct arc_chain chain = {
			.n = 1,
			.result = ARC_PASS,
			.seals = &seal,
			.first_results = cases[i].results,
		};
		assert_int_equal(arc_vouches(&chain, STR("list.example")), cases[i].vouches);
		assert_false(arc_vouches(&chain, STR("other.example")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_result_of_dmarc_itself_counts),
	};
	return cmocka_run_group_tests_name("filter/arc", tests, NULL, NULL);
}
