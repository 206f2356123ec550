#include "setup/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"

#define COLOUR_RESET   "\033[0m"
#define COLOUR_HEADING "\033[1;33m"
#define COLOUR_NAME    "\033[1m"

static const struct {
	const char *word; /* as LOG_LEVEL has it */
	const char *label;
	const char *colour;
} levels[] = {
	[MESSAGE_ERROR] = { "error", "ERROR", "\033[91m" },
	[MESSAGE_WARN] = { "warn", "WARN ", "\033[93m" },
	[MESSAGE_INFO] = { "info", "INFO ", "\033[94m" },
};

/* Unknown words, "debug" and "trace" let everything through. */
static enum message_level wanted_level(void)
{
	struct str word = str_from(getenv("LOG_LEVEL"));
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (str_eq(word, str_from(levels[i].word)))
			return (enum message_level)i;
	return MESSAGE_INFO;
}

/* "2024-05-01 12:00:00+02:00" */
static void format_now(char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;
	localtime_r(&now, &tm);

	long minutes = tm.tm_gmtoff / 60;
	long distance = minutes < 0 ? -minutes : minutes;
	size_t n = strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(out + n, size - n, "%c%02ld:%02ld", minutes < 0 ? '-' : '+', distance / 60 % 100,
		 distance % 60);
}

static void message_va(const struct setup *s, enum message_level level, const char *fmt, va_list ap)
{
	char when[64];
	if (level > wanted_level())
		return;
	format_now(when, sizeof(when));
	fprintf(stderr, "%s %s%s" COLOUR_RESET " %s: ", when, levels[level].colour,
		levels[level].label, s->command->program);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void message(const struct setup *s, enum message_level level, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	message_va(s, level, fmt, ap);
	va_end(ap);
}

static enum setup_exit fail_va(const struct setup *s, const char *fmt, va_list ap)
{
	message_va(s, MESSAGE_ERROR, fmt, ap);
	message(s, MESSAGE_ERROR, "Aborting");
	return SETUP_ERROR;
}

enum setup_exit message_fail(const struct setup *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	enum setup_exit r = fail_va(s, fmt, ap);
	va_end(ap);
	return r;
}

enum setup_exit message_fail_usage(const struct setup *s, const char *fmt, ...)
{
	usage_print(s->command);
	fflush(stdout);

	va_list ap;
	va_start(ap, fmt);
	enum setup_exit r = fail_va(s, fmt, ap);
	va_end(ap);
	return r;
}

bool message_args_end(const struct setup *s, unsigned most)
{
	if (s->count <= most)
		return true;
	message_fail_usage(s, "'%s' is one argument too many", s->args[most].p);
	return false;
}

static void print_heading(const char *text)
{
	printf(COLOUR_HEADING "%s" COLOUR_RESET "\n", text);
}

void usage_print(const struct setup_command *c)
{
	print_heading("NAME");
	printf("    %s - %s\n\n", c->program, c->summary);
	print_heading("SYNOPSIS");
	if (c->group.n)
		printf("    " COLOUR_NAME "setup %s%s%s" COLOUR_RESET " %s\n\n", c->group.p,
		       c->name.n ? " " : "", c->name.p, c->arguments);
	else
		printf("    " COLOUR_NAME "%s" COLOUR_RESET " %s\n\n", c->program, c->arguments);
	print_heading("DESCRIPTION");
	printf("%s\n", c->details);
	print_heading("EXIT STATUS");
	printf("    0 when the command did what was asked, 1 when the arguments are wrong or it\n"
	       "    failed: the reason is on standard error.\n\n");
}

static void print_line(const struct setup_command *c)
{
	printf("    " COLOUR_NAME "%s%s%s" COLOUR_RESET " %s\n        %s\n", c->group.p,
	       c->name.n ? " " : "", c->name.p, c->arguments, c->summary);
}

bool usage_print_group(struct str group)
{
	unsigned count;
	const struct setup_command *c = setup_commands(&count);
	bool found = false;

	for (unsigned i = 0; i < count && group.n; i++) {
		if (!str_eq(c[i].group, group) || !c[i].name.n)
			continue;
		if (!found)
			print_heading("COMMANDS");
		found = true;
		print_line(&c[i]);
	}
	if (found)
		printf("\n    `setup %" STR_FMT " COMMAND help` tells more about each.\n\n",
		       STR_ARG(group));
	return found;
}

void usage_print_all(void)
{
	unsigned count;
	const struct setup_command *c = setup_commands(&count);

	print_heading("NAME");
	printf("    setup - administer the mail server\n\n");
	print_heading("SYNOPSIS");
	printf("    " COLOUR_NAME "setup" COLOUR_RESET " [ COMMAND SUBCOMMAND [ ARGUMENTS ] ]\n"
	       "    " COLOUR_NAME "setup" COLOUR_RESET " COMMAND [ SUBCOMMAND ] help\n\n");
	print_heading("DESCRIPTION");
	printf("    This is the main administration command that you use for all your interactions "
	       "with\n"
	       "    the mail server: accounts, aliases, quotas and who may send to whom. It edits "
	       "the\n"
	       "    files of the config volume; the running server notices within seconds.\n\n");
	print_heading("COMMANDS");
	for (unsigned i = 0; i < count; i++)
		if (c[i].group.n)
			print_line(&c[i]);
	printf("\n");
	print_heading("EXIT STATUS");
	printf("    0 success, 1 wrong arguments or failure, 2 unknown command.\n\n");
}
