/* One event as a line: the two renderings of the log, without I/O. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/log.h"

struct buf;

struct log_event_desc {
	const char *name;
	const char *tag;
	const char *text;
	enum log_level level;
};

extern const struct log_event_desc log_events[LOG_EVENT_COUNT];

struct log_line {
	int64_t time; /* microseconds since the epoch */
	const struct log_event_desc *event;
	const char *role;
	struct str host;
	pid_t pid;
	const struct log_field *fields; /* the last one has no key */
	const struct log_context *context;
};

/* Values are cut at this many bytes, lines at the size of the buffer. */
enum {
	LOG_VALUE_MAX = 400,
	LOG_LINE_MAX = 8192,
};

/* Append the line with its LF. A line for which `out` is too small is cut: the text rendering ends
 * in
 * "...", the JSON one stays an object and says "cut":true. */
void log_line_write_text(struct buf *out, const struct log_line *l);
void log_line_write_json(struct buf *out, const struct log_line *l);

/* Shared by both. */

/* Nearest field with that key, in the call or its contexts; NULL when there is none. */
const struct log_field *log_line_find(const struct log_line *l, struct str key);

const char *log_line_tag(const struct log_line *l);

/* RFC 3339 in local time with microseconds: 2026-11-24T04:02:29.123456+01:00. */
void log_time_write(struct buf *out, int64_t time);

/* How many bytes at the front of s can be shown as they are: printable ASCII but no backslash, or
 * one UTF-8 character that does not control anything. 0: the first byte needs escaping. */
size_t log_plain_length(struct str s);
