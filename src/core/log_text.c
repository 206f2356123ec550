/* Log lines in the shape of a mail.log. */
#include <stdio.h>

#include "base/buf.h"
#include "core/log_line.h"

static const char *const level_words[] = {
	[LOG_LEVEL_ERROR] = "error: ", [LOG_LEVEL_WARN] = "warning: ", [LOG_LEVEL_INFO] = "",
	[LOG_LEVEL_DEBUG] = "debug: ", [LOG_LEVEL_TRACE] = "trace: ",
};

/* `guard` is the byte that ends the value for whoever reads the line; inside it is escaped. */
static void put_text(struct buf *out, struct str s, char guard)
{
	bool cut = s.n > LOG_VALUE_MAX;
	s = str_sub(s, 0, LOG_VALUE_MAX);
	while (s.n > 0) {
		size_t n = log_plain_length(s);
		ssize_t stop = guard ? str_find_byte(str_sub(s, 0, n), guard) : -1;
		if (stop >= 0)
			n = (size_t)stop;
		buf_put(out, s.p, n);
		if (n == 0) {
			buf_printf(out, "\\x%02x", (unsigned char)s.p[0]);
			n = 1;
		}
		s = str_skip(s, n);
	}
	if (cut)
		buf_puts(out, "...");
}

static void put_value(struct buf *out, const struct log_field *f, char guard)
{
	if (f->is_number)
		buf_printf(out, "%lld", (long long)f->number);
	else
		put_text(out, f->text, guard);
}

/* " key=value", in quotes when the value holds a blank. */
static void put_pair(struct buf *out, const struct log_field *f)
{
	bool quoted = !f->is_number && (f->text.n == 0 || str_find_byte(f->text, ' ') >= 0 ||
					str_find_byte(f->text, '"') >= 0);

	buf_printf(out, " %s=%s", f->key, quoted ? "\"" : "");
	put_value(out, f, quoted ? '"' : '\0');
	if (quoted)
		buf_putc(out, '"');
}

/* The text between '{' and '}' at the front of *rest, which moves behind it. */
static struct str next_key(struct str *rest)
{
	struct str key, after;
	str_cut(str_skip(*rest, 1), '}', &key, &after);
	*rest = after;
	return key;
}

static bool has_value(const struct log_field *f)
{
	return f && (f->is_number || f->text.n > 0);
}

static bool part_is_complete(const struct log_line *l, struct str part)
{
	ssize_t at;
	while ((at = str_find_byte(part, '{')) >= 0) {
		part = str_skip(part, (size_t)at);
		if (!has_value(log_line_find(l, next_key(&part))))
			return false;
	}
	return true;
}

static void put_key(struct buf *out, const struct log_line *l, struct str key, char before)
{
	const struct log_field *f = log_line_find(l, key);
	if (f)
		put_value(out, f, before == '<' ? '>' : '\0');
}

/* Literal text up to the next byte that means something; its last byte is kept in *before. */
static struct str put_literal(struct buf *out, struct str t, char *before)
{
	size_t n = 0;
	while (n < t.n && t.p[n] != '{' && t.p[n] != '[' && t.p[n] != ']')
		n++;
	buf_put(out, t.p, n);
	if (n > 0)
		*before = t.p[n - 1];
	return str_skip(t, n);
}

static void put_template(struct buf *out, const struct log_line *l)
{
	struct str part, after, t = str_from(l->event->text);
	char before = '\0';

	while (t.n > 0) {
		t = put_literal(out, t, &before);
		if (t.n == 0)
			return;
		if (t.p[0] == '{')
			put_key(out, l, next_key(&t), before);
		else if (t.p[0] == '[' && str_cut(str_skip(t, 1), ']', &part, &after) &&
			 !part_is_complete(l, part))
			t = after;
		else /* a bracket of a part that is shown */
			t = str_skip(t, 1);
		before = '\0';
	}
}

static bool is_named(const char *text, const char *key)
{
	struct str t = str_from(text);
	ssize_t at;
	while ((at = str_find_byte(t, '{')) >= 0) {
		t = str_skip(t, (size_t)at);
		if (str_eq(next_key(&t), str_from(key)))
			return true;
	}
	return false;
}

static void put_rest(struct buf *out, const struct log_line *l)
{
	for (const struct log_field *f = l->fields; f->key; f++) {
		if (!is_named(l->event->text, f->key))
			put_pair(out, f);
	}
	/* The wording of the info lines is fixed; whoever reads the others wants to know all. */
	if (l->event->level == LOG_LEVEL_INFO)
		return;
	for (const struct log_context *c = l->context; c; c = c->parent) {
		for (size_t i = 0; i < c->count; i++) {
			const struct log_field *f = &c->fields[i];
			if (!is_named(l->event->text, f->key) &&
			    log_line_find(l, str_from(f->key)) == f)
				put_pair(out, f);
		}
	}
}

void log_line_write_text(struct buf *out, const struct log_line *l)
{
	static const char cut[] = "...\n";
	size_t max = out->max;

	check(max > sizeof(cut));
	out->max -= sizeof(cut);
	log_time_write(out, l->time);
	buf_printf(out, " %" STR_FMT " posthorn/%s[%d]: %s", STR_ARG(l->host), log_line_tag(l),
		   (int)l->pid, level_words[l->event->level]);
	put_template(out, l);
	put_rest(out, l);
	out->max = max;
	bool failed = buf_failed(out);
	out->failed = false;
	buf_puts(out, failed ? cut : "\n");
}
