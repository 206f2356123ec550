/* Our SPF as a program, for test_spf.py: the zone is a file as in tests/unit/filter/fake_dns.h;
 * lines of ADDRESS SENDER HELO on standard input give lines of RESULT REASON. */
#include <stdio.h>
#include <unistd.h>

#include "../unit/filter/fake_dns.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "filter/spf.h"

#define FILE_MAX (16u << 20)

static void check_line(const struct lookup *lookup, struct str line)
{
	auto_arena struct arena a = ARENA_INIT;
	struct spf_question q = { .receiver = STR("mail.example.net"), .now = 1600000000 };
	struct spf_answer answer;
	struct str address;

	str_cut(line, ' ', &address, &line);
	str_cut(line, ' ', &q.sender, &q.helo);
	q.address = fake_dns_address(address, &a);
	if (spf_check_sender(lookup, &q, &a, &answer) == 0)
		printf("%s %s\n", spf_result_name(answer.result),
		       answer.reason ? answer.reason : "");
}

int main(int argc, char **argv)
{
	auto_arena struct arena a = ARENA_INIT;
	struct fake_dns dns = { .zone = STR_NONE };
	struct lookup lookup = fake_dns_lookup(&dns);
	static char input[FILE_MAX];
	struct err err;

	if (argc != 2 || fd_read_file(argv[1], &a, FILE_MAX, &dns.zone, &err) < 0)
		return 2;
	size_t n = fread(input, 1, sizeof(input), stdin);
	STR_FOREACH_LINE (str_of(input, n), line)
		check_line(&lookup, line);
	return 0;
}
