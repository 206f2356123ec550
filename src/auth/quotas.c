#include "auth/quotas.h"

#include <errno.h>

#include "auth/address.h"
#include "base/arena.h"

static int unit_shift(char c)
{
	switch (ascii_upper(c)) {
	case 'B':
		return 0;
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	case 'T':
		return 40;
	default:
		return -1;
	}
}

int quota_size_parse(struct str text, uint64_t *bytes)
{
	if (text.n == 0)
		return -EINVAL;

	int shift = unit_shift(text.p[text.n - 1]);
	uint64_t number;
	int r = str_to_u64(shift < 0 ? text : str_sub(text, 0, text.n - 1), UINT64_MAX, &number);
	if (r < 0)
		return r;
	if (shift < 0)
		shift = 0;
	if (number > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*bytes = number << shift;
	return 0;
}

void quotas_parse(struct quotas *t, struct arena *a, struct str text,
		  const struct file_report *report)
{
	struct file_lines lines;
	struct str line, login, size;

	map_init(&t->by_login);
	file_lines_init(&lines, text);
	while (file_lines_next(&lines, &line)) {
		uint64_t bytes;
		if (!str_cut(line, ':', &login, &size) ||
		    quota_size_parse(str_trim(size), &bytes) < 0) {
			file_report_broken(report, lines.number, line,
					   "not user@domain:size with the unit B, k, M, G or T");
			continue;
		}
		struct quota *q = ARENA_NEW(a, struct quota);
		*q = (struct quota){ .login = address_fold(a, str_trim(login)), .bytes = bytes };
		if (map_get(&t->by_login, q->login))
			file_report_line(report, lines.number,
					 "%" STR_FMT " is there already; this line is not used",
					 STR_ARG(q->login));
		else
			map_put(&t->by_login, q->login, q);
	}
}

bool quotas_keep(struct quotas *t, struct arena *a, const struct quotas *before, struct str login)
{
	const struct quota *old = map_get(&before->by_login, login);
	if (!old || map_get(&t->by_login, login))
		return false;
	struct quota *q = ARENA_NEW(a, struct quota);
	*q = (struct quota){ .login = arena_str(a, login), .bytes = old->bytes };
	map_put(&t->by_login, q->login, q);
	return true;
}

void quotas_done(struct quotas *t)
{
	map_done(&t->by_login);
}

bool quotas_find(const struct quotas *t, struct str login, uint64_t *bytes)
{
	const struct quota *q = map_get(&t->by_login, login);
	if (q)
		*bytes = q->bytes;
	return q != NULL;
}
