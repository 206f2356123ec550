/* Log lines as JSON objects (RFC 8259). */
#include "base/buf.h"
#include "core/log_line.h"

static const char *const level_words[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warn",	  [LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_TRACE] = "trace",
};

static void put_string(struct buf *out, struct str s)
{
	bool cut = s.n > LOG_VALUE_MAX;
	s = str_sub(s, 0, LOG_VALUE_MAX);
	buf_putc(out, '"');
	while (s.n > 0) {
		size_t n = log_plain_length(s);
		ssize_t quote = str_find_byte(str_sub(s, 0, n), '"');
		unsigned char c = (unsigned char)s.p[0];
		if (quote >= 0)
			n = (size_t)quote;
		buf_put(out, s.p, n);
		if (n == 0 && (c == '"' || c == '\\'))
			buf_printf(out, "\\%c", c);
		else if (n == 0 && c < 0x80)
			buf_printf(out, "\\u%04x", c);
		else if (n == 0) /* no UTF-8, or a character that controls */
			buf_puts(out, "\\ufffd");
		s = str_skip(s, n ? n : 1);
	}
	buf_puts(out, cut ? "...\"" : "\"");
}

/* A whole pair or nothing; false when it did not fit. */
static bool put_pair(struct buf *out, const struct log_field *f)
{
	size_t start = out->n;

	buf_printf(out, ",\"%s\":", f->key);
	if (f->is_number)
		buf_printf(out, "%lld", (long long)f->number);
	else
		put_string(out, f->text);
	if (!buf_failed(out))
		return true;
	out->n = start;
	out->failed = false;
	return false;
}

static bool put_fields(struct buf *out, const struct log_line *l)
{
	bool all = true;

	for (const struct log_field *f = l->fields; f->key; f++)
		all &= put_pair(out, f);
	for (const struct log_context *c = l->context; c; c = c->parent) {
		for (size_t i = 0; i < c->count; i++) {
			const struct log_field *f = &c->fields[i];
			if (log_line_find(l, str_from(f->key)) == f)
				all &= put_pair(out, f);
		}
	}
	return all;
}

void log_line_write_json(struct buf *out, const struct log_line *l)
{
	static const char cut[] = ",\"cut\":true}\n";
	size_t max = out->max;

	check(max > sizeof(cut));
	out->max -= sizeof(cut);
	buf_puts(out, "{\"time\":\"");
	log_time_write(out, l->time);
	buf_printf(out,
		   "\",\"level\":\"%s\",\"event\":\"%s\",\"role\":\"%s\",\"tag\":\"%s\",\"pid\":%d",
		   level_words[l->event->level], l->event->name, l->role, log_line_tag(l),
		   (int)l->pid);
	bool all = put_pair(out, &LOG_STR("host", l->host)) && put_fields(out, l);
	out->max = max;
	buf_puts(out, all ? "}\n" : cut);
}
