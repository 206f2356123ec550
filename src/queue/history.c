#include "queue/history.h"

#include <inttypes.h>

#include "base/arena.h"
#include "queue/queue_id.h"

#define FIELD_MAX 1000

static void put_field(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n && i < FIELD_MAX; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f || c == '\\')
			buf_printf(out, "\\x%02x", c);
		else
			buf_putc(out, (char)c);
	}
}

void history_write(const struct history_line *l, struct buf *out)
{
	buf_printf(out, "%" PRId64 "\t%s\t%" STR_FMT, l->time_ms, queue_id_text(l->id).c,
		   STR_ARG(l->kind));
	for (size_t i = 0; i < HISTORY_FIELDS; i++) {
		buf_putc(out, '\t');
		put_field(out, l->fields[i]);
	}
	buf_putc(out, '\n');
}

static struct str unescape(struct str s, struct arena *a)
{
	if (str_find_byte(s, '\\') < 0)
		return s;
	char *p = arena_alloc(a, s.n);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		struct str e = str_sub(s, i, 4);
		int high = e.n == 4 ? ascii_hex_value((unsigned char)e.p[2]) : -1;
		int low = e.n == 4 ? ascii_hex_value((unsigned char)e.p[3]) : -1;
		if (str_starts(e, STR("\\x")) && high >= 0 && low >= 0) {
			p[n++] = (char)(high << 4 | low);
			i += 3;
		} else {
			p[n++] = s.p[i];
		}
	}
	return str_of(p, n);
}

bool history_parse(struct str line, struct arena *a, struct history_line *out)
{
	struct str time, id;
	uint64_t ms;

	*out = (struct history_line){ 0 };
	if (!str_cut(line, '\t', &time, &line) || !str_cut(line, '\t', &id, &line) ||
	    !str_cut(line, '\t', &out->kind, &line))
		return false;
	if (str_to_u64(time, INT64_MAX, &ms) < 0 || queue_id_parse(id, &out->id) < 0)
		return false;
	out->time_ms = (int64_t)ms;
	for (size_t i = 0; i < HISTORY_FIELDS; i++) {
		struct str field;
		bool more = str_cut(line, '\t', &field, &line);
		if (more != (i + 1 < HISTORY_FIELDS))
			return false;
		out->fields[i] = unescape(field, a);
	}
	return true;
}
