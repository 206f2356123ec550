#include "pop3/line.h"

#include <errno.h>

struct pop3_line pop3_line_parse(struct str line)
{
	struct pop3_line out = { 0 };
	struct str word, rest;

	(void)str_cut(str_chomp(line), ' ', &out.keyword, &out.args);
	rest = out.args;
	while (str_next_word(&rest, &word)) {
		if (out.count < POP3_ARGS_MAX)
			out.arg[out.count] = word;
		out.count++;
	}
	return out;
}

int pop3_number_parse(struct str s, uint32_t *out)
{
	uint64_t v;

	if (str_to_u64(s, UINT32_MAX, &v) < 0)
		return -EINVAL;
	*out = (uint32_t)v;
	return 0;
}
