/* Reading the account files: which lines count, and where to complain about one that cannot be
 * used. Nothing is ever written back: CRLF and a missing last line end are tolerated as they
 * are. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct arena;

#define FILE_LINE_MAX 65536 /* bytes of one entry with its continuation lines */

/* Who hears of lines that are not what they should be; the rest of the file is used. */
struct file_report {
	void (*line)(void *ctx, const char *file, unsigned number, const char *text);
	void *ctx;
	const char *file;
	/* A line that gives no entry, and the name it begins with. NULL: `line` hears of it. */
	void (*broken)(const struct file_report *report, unsigned number, struct str name,
		       const char *text);
};

/* A line that is understood in part, or not used although it could be. */
void file_report_line(const struct file_report *report, unsigned number, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* A line from which no entry could be made; `line` is empty where entries have no names. */
void file_report_broken(const struct file_report *report, unsigned number, struct str line,
			const char *fmt, ...) PRINTF_LIKE(4, 5);

struct file_lines {
	struct str rest;
	unsigned number; /* of the entry's first line, counted from 1 */
	unsigned next_number;
};

/* The text outlives the reader and the lines it gives. */
void file_lines_init(struct file_lines *f, struct str text);

/* The next line that is neither blank nor a comment, without blanks around it. False at the end. */
bool file_lines_next(struct file_lines *f, struct str *line);

/* The same for Postfix's formats: a line that begins with a blank continues the entry before it,
 * also across comments. Joined lines live in `a`. */
bool file_lines_next_entry(struct file_lines *f, struct arena *a, struct str *entry);
