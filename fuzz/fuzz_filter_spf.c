/* A zone of one record for every name, which is the input: a check ends, within its limits. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "filter/lookup.h"
#include "filter/spf.h"

/* The first record, ten terms that ask with ten hosts each, %{p}, an explanation. */
#define QUESTIONS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct zone {
	struct str text;
	unsigned questions;
};

static int find(void *ctx, enum dns_type type, struct str name, struct arena *a,
		struct lookup_answer *out)
{
	static struct str address = { "\300\0\2\2", 4 };
	struct zone *zone = ctx;

	check(type == DNS_PTR || (name.n && name.n < 256));
	zone->questions++;
	*out = (struct lookup_answer){ .status = DNS_FOUND, .v = ARENA_NEW(a, struct str), .n = 1 };
	out->v[0] = type == DNS_A ? address : type == DNS_TXT ? zone->text : STR("host.example");
	if (type == DNS_AAAA || name.n % 7 == 3)
		*out = (struct lookup_answer){ .status = name.n % 2 ? DNS_NODATA : DNS_TEMPFAIL };
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct zone zone = { .text = str_of(data, size) };
	struct lookup lookup = { find, &zone };
	struct spf_question q = { .address = STR("\300\0\2\1"),
				  .sender = STR("user@sender.example"),
				  .helo = STR("helo.example") };
	struct spf_answer answer;
	auto_buf struct buf field;

	check(spf_check_sender(&lookup, &q, &a, &answer) == 0);
	check(zone.questions <= QUESTIONS_MAX);
	check(str_is_printable(answer.explanation));
	buf_init(&field, NULL, 65536);
	spf_write_received(&field, &q, &answer);
	check(!buf_failed(&field));
	return 0;
}
