#include "auth/file_lines.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"

#define REPORT_TEXT_MAX 256

void file_report_line(const struct file_report *report, unsigned number, const char *fmt, ...)
{
	if (!report || !report->line)
		return;

	char text[REPORT_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report->line(report->ctx, report->file, number, text);
}

/* Whatever separates a name from what follows in one of the files, or is written there by
 * mistake. */
static struct str leading_name(struct str line)
{
	size_t n = 0;
	while (n < line.n && !ascii_is_wsp((unsigned char)line.p[n]) &&
	       str_find_byte(STR("|:;,{"), line.p[n]) < 0)
		n++;
	return str_sub(line, 0, n);
}

void file_report_broken(const struct file_report *report, unsigned number, struct str line,
			const char *fmt, ...)
{
	char text[REPORT_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (report && report->broken)
		report->broken(report, number, leading_name(line), text);
	else
		file_report_line(report, number, "%s", text);
}

void file_lines_init(struct file_lines *f, struct str text)
{
	/* Editors on Windows put a byte order mark in front. */
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_skip(text, 3);
	*f = (struct file_lines){ .rest = text };
}

/* The next line that counts, as it stands. */
static bool next_raw(struct file_lines *f, struct str *line)
{
	while (str_next_line(&f->rest, line)) {
		f->next_number++;
		struct str inside = str_trim(*line);
		if (inside.n && inside.p[0] != '#')
			return true;
	}
	return false;
}

bool file_lines_next(struct file_lines *f, struct str *line)
{
	struct str raw;
	if (!next_raw(f, &raw))
		return false;
	f->number = f->next_number;
	*line = str_trim(raw);
	return true;
}

/* Take the next line only when it continues the entry. */
static bool next_continuation(struct file_lines *f, struct str *line)
{
	struct file_lines ahead = *f;
	struct str raw;

	if (!next_raw(&ahead, &raw) || !ascii_is_wsp((unsigned char)raw.p[0]))
		return false;
	*f = ahead;
	*line = str_trim(raw);
	return true;
}

bool file_lines_next_entry(struct file_lines *f, struct arena *a, struct str *entry)
{
	struct str more;

	if (!file_lines_next(f, entry))
		return false;
	if (entry->n > FILE_LINE_MAX || !next_continuation(f, &more))
		return true;

	/* What exceeds the limit is dropped: an entry this long is cut at a line's end. */
	struct buf joined;
	buf_init(&joined, a, FILE_LINE_MAX);
	buf_put_str(&joined, *entry);
	do {
		if (joined.n + 1 + more.n > FILE_LINE_MAX)
			continue;
		buf_putc(&joined, ' ');
		buf_put_str(&joined, more);
	} while (next_continuation(f, &more));
	*entry = buf_str(&joined);
	return true;
}
