/* Collects what a parser reports, as "line: text" joined by newlines. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "auth/file_lines.h"

struct report_recorder {
	char text[2048];
	unsigned count;
	unsigned last_line;
};

static inline void report_record(void *ctx, const char *file, unsigned number, const char *text)
{
	struct report_recorder *r = ctx;
	size_t n = strlen(r->text);
	snprintf(r->text + n, sizeof(r->text) - n, "%s%s:%u: %s", n ? "\n" : "", file, number,
		 text);
	r->count++;
	r->last_line = number;
}

#define REPORT_TO(recorder) (&(struct file_report){ report_record, (recorder), "file" })
