#include "core/log_line.h"

#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/utf8.h"

#define LOG_EVENT(id, n, l, tg, tx)                                                                \
	[LOG_##id] = { .name = n, .level = LOG_LEVEL_##l, .tag = tg, .text = tx },
const struct log_event_desc log_events[LOG_EVENT_COUNT] = {
#include "core/log_event.def"
};

const struct log_field *log_line_find(const struct log_line *l, struct str key)
{
	for (const struct log_field *f = l->fields; f->key; f++) {
		if (str_eq(str_from(f->key), key))
			return f;
	}
	for (const struct log_context *c = l->context; c; c = c->parent) {
		for (size_t i = 0; i < c->count; i++) {
			if (str_eq(str_from(c->fields[i].key), key))
				return &c->fields[i];
		}
	}
	return NULL;
}

const char *log_line_tag(const struct log_line *l)
{
	if (l->event->tag)
		return l->event->tag;
	for (const struct log_context *c = l->context; c; c = c->parent) {
		if (c->tag)
			return c->tag;
	}
	return l->role;
}

void log_time_write(struct buf *out, int64_t time)
{
	/* Most lines fall into the second of the one before. */
	static time_t last = -1;
	static char date[32], zone[48];
	time_t second = time / 1000000;

	if (second != last) {
		struct tm tm;
		localtime_r(&second, &tm);
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
		long minutes = tm.tm_gmtoff / 60;
		char sign = minutes < 0 ? '-' : '+';
		minutes = minutes < 0 ? -minutes : minutes;
		snprintf(zone, sizeof(zone), "%c%02ld:%02ld", sign, minutes / 60, minutes % 60);
		last = second;
	}
	buf_printf(out, "%s.%06d%s", date, (int)(time % 1000000), zone);
}

/* C1 controls, line and paragraph separators, and marks that reorder a terminal's line. */
static bool is_control(uint32_t cp)
{
	return cp < 0xa0 || (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

size_t log_plain_length(struct str s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '\\')
		n++;
	if (n > 0 || s.n == 0 || (unsigned char)s.p[0] < 0x80)
		return n;

	struct str rest = s;
	uint32_t cp;
	if (utf8_next(&rest, &cp) < 0 || is_control(cp))
		return 0;
	return s.n - rest.n;
}
