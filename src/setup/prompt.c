#include "setup/prompt.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "setup/message.h"

#define PROMPT_LINE_MAX 65536

static void show(const char *text)
{
	if (isatty(STDIN_FILENO))
		fputs(text, stderr);
}

/* Byte by byte, so that what follows the line stays for the next question. */
static struct str read_line(struct setup *s)
{
	struct buf line;
	char c;

	buf_init(&line, &s->arena, PROMPT_LINE_MAX);
	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		buf_putc(&line, c);
	return buf_str(&line);
}

struct str prompt_line(struct setup *s, const char *question)
{
	show(question);
	return read_line(s);
}

static struct str read_hidden(struct setup *s, const char *question)
{
	struct termios shown, hidden;
	bool terminal = tcgetattr(STDIN_FILENO, &shown) == 0;

	if (terminal) {
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &hidden);
	}
	/* Only now: who answers at once is not to be shown either. */
	show(question);
	struct str line = read_line(s);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &shown);
	show("\n");
	return line;
}

bool prompt_password(struct setup *s, struct str *password)
{
	struct str first = read_hidden(s, "Enter Password: ");
	if (first.n == 0) {
		message_fail(s, "Password must not be empty");
		return false;
	}
	if (!str_eq(first, read_hidden(s, "Confirm Password: "))) {
		message_fail(s, "Passwords do not match!");
		return false;
	}
	*password = first;
	return true;
}
