/* dms-healthcheck: asks the running server whether it can do its work, for container runtimes that
 * want a program for that. Exit status 0: every protocol is ready; 1: one is not, or there is no
 * answer. What is wrong is on standard output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "client/local.h"
#include "core/settings.h"

#define SECONDS	  5
#define SMTP_PORT 25

#define ANSWER_LINES_MAX 100

/* An HTTP answer: the body, which ends with the connection, to standard output. -EIO: it is not
 * well. */
static int read_answer(struct local *l, struct err *err)
{
	struct str line;
	int r = local_read_line(l, &line, err);

	if (r < 0)
		return r;
	bool well = str_starts(line, STR("HTTP/1.1 200 "));
	do
		r = local_read_line(l, &line, err);
	while (r == 0 && line.n);
	if (r < 0)
		return r;
	for (int i = 0; i < ANSWER_LINES_MAX && local_read_line(l, &line, NULL) == 0; i++)
		printf("%" STR_FMT "\n", STR_ARG(line));
	return well ? 0 : -EIO;
}

static int ask_web(struct local *l, struct err *err)
{
	static const struct str request =
		STR_INIT("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	int r = local_write(l, request, err);

	return r < 0 ? r : read_answer(l, err);
}

/* Without its health pages, what can be seen from outside is that it greets. */
static int ask_smtp(struct local *l, struct err *err)
{
	struct str line;
	int r;

	do
		r = local_read_line(l, &line, err);
	while (r == 0 && str_starts(line, STR("220-")));
	if (r < 0)
		return r;
	if (!str_starts(line, STR("220 "))) {
		printf("smtp: %" STR_FMT "\n", STR_ARG(line));
		return -EIO;
	}
	r = local_write(l, STR("QUIT\r\n"), err);
	return r < 0 ? r : local_read_line(l, &line, err);
}

static int ask(const struct settings *set, struct arena *a, struct err *err)
{
	struct local *l = ARENA_NEW(a, struct local);
	unsigned port = set->web_port ? (unsigned)set->web_port : SMTP_PORT;
	int r = local_open(l, set, port, SECONDS, err);

	if (r < 0)
		return r;
	r = set->web_port ? ask_web(l, err) : ask_smtp(l, err);
	local_close(l);
	return r;
}

int main(void)
{
	auto_arena struct arena a = ARENA_INIT;
	static struct settings set; /* too large for a stack */
	struct err err = { 0 };
	int r = settings_load((const char *const *)environ, NULL, &a, &set, &err);

	if (r == 0)
		r = ask(&set, &a, &err);
	if (err.code)
		printf("%s\n", err.text);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
