#include "setup/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH	 30
#define TERMINAL_STEP_MS 100
#define LINE_STEP_MS	 5000

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct progress progress_begin(struct str what)
{
	return (struct progress){ .what = what,
				  .on_terminal = isatty(STDERR_FILENO),
				  .last_ms = now_ms() };
}

static void show_bar(struct progress *p, uint64_t done, uint64_t all)
{
	char bar[BAR_WIDTH + 1];
	size_t full = all ? (size_t)(done * BAR_WIDTH / all) : 0;

	for (size_t i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r\033[K%" STR_FMT " [%s] %llu", STR_ARG(p->what), bar,
		(unsigned long long)done);
	if (all)
		fprintf(stderr, " of %llu", (unsigned long long)all);
	fflush(stderr);
	p->shown = true;
}

void progress_show(struct progress *p, uint64_t done, uint64_t all)
{
	int64_t now = now_ms();

	if (now - p->last_ms < (p->on_terminal ? TERMINAL_STEP_MS : LINE_STEP_MS))
		return;
	p->last_ms = now;
	if (p->on_terminal)
		show_bar(p, done, all);
	else if (all)
		fprintf(stderr, "%" STR_FMT ": %llu of %llu\n", STR_ARG(p->what),
			(unsigned long long)done, (unsigned long long)all);
	else
		fprintf(stderr, "%" STR_FMT ": %llu\n", STR_ARG(p->what), (unsigned long long)done);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
}
