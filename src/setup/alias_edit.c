#include "setup/alias_edit.h"

#include "auth/aliases.h"
#include "setup/setup_file.h"

/* An entry with the lines that continue it, and the comments between them. */
struct span {
	struct str raw;
	struct str key;
	struct setup_line first;
};

/* Take the next entry off *rest; what stands before it (comments, blank lines) is *before.
 * False at the end, when *before is all that was left. */
static bool span_next(struct str *rest, struct str *before, struct span *out)
{
	const char *start = rest->p;
	struct setup_line line;

	for (;;) {
		const char *here = rest->p;
		if (!setup_line_next(rest, &line)) {
			*before = str_of(start, (size_t)(rest->p - start));
			return false;
		}
		if (line.counts) {
			*before = str_of(start, (size_t)(here - start));
			break;
		}
	}
	out->first = line;
	out->key = setup_key(line.text, ' ');
	out->raw = line.raw;
	struct str ahead = *rest;
	while (setup_line_next(&ahead, &line)) {
		if (line.counts && !line.indented)
			break;
		if (!line.counts)
			continue;
		*rest = ahead;
		out->raw = str_of(out->raw.p, (size_t)(ahead.p - out->raw.p));
	}
	return true;
}

/* Call `each` for the targets of an entry, until it says stop. */
static bool each_target(const struct span *e, bool (*each)(void *ctx, struct str target), void *ctx)
{
	struct str rest = e->raw, target;
	struct setup_line line;
	bool first = true;

	while (setup_line_next(&rest, &line)) {
		if (!line.counts)
			continue;
		struct str list = first ? str_skip(line.text, e->key.n) : line.text;
		first = false;
		while (alias_target_next(&list, &target))
			if (each(ctx, target))
				return true;
	}
	return false;
}

static bool is_target(void *ctx, struct str target)
{
	return str_eq_nocase(*(struct str *)ctx, target);
}

bool alias_edit_has(struct str text, struct str key, struct str target)
{
	struct str before;
	struct span e;

	while (span_next(&text, &before, &e))
		if (str_eq_nocase(e.key, key) && each_target(&e, is_target, &target))
			return true;
	return false;
}

/* The end of the last line that counts: a comment may follow it inside the entry's lines. */
static size_t end_of_text(struct str raw)
{
	struct str rest = raw;
	struct setup_line line;
	size_t end = 0;

	while (setup_line_next(&rest, &line))
		if (line.counts)
			end = (size_t)(line.text.p + line.text.n - raw.p);
	return end;
}

void alias_edit_add(struct str text, struct str key, struct str target, struct buf *out)
{
	struct str before, rest = text;
	struct span e;

	while (span_next(&rest, &before, &e)) {
		if (!str_eq_nocase(e.key, key))
			continue;
		size_t at = (size_t)(e.raw.p - text.p) + end_of_text(e.raw);
		buf_put_str(out, str_sub(text, 0, at));
		buf_putc(out, ',');
		buf_put_str(out, target);
		buf_put_str(out, str_skip(text, at));
		return;
	}
	buf_put_str(out, text);
	if (out->n && out->p[out->n - 1] != '\n')
		buf_putc(out, '\n');
	buf_put_str(out, key);
	buf_putc(out, ' ');
	buf_put_str(out, target);
	buf_putc(out, '\n');
}

struct rewrite {
	struct buf *out;
	struct str drop;
	unsigned left;
};

static bool put_other(void *ctx, struct str target)
{
	struct rewrite *w = ctx;
	if (str_eq_nocase(target, w->drop))
		return false;
	buf_putc(w->out, w->left++ ? ',' : ' ');
	buf_put_str(w->out, target);
	return false;
}

static bool is_other(void *ctx, struct str target)
{
	return !is_target(ctx, target);
}

unsigned alias_edit_remove(struct str text, struct str key, struct str target, struct buf *out)
{
	struct str before;
	struct span e;
	unsigned changed = 0;

	while (span_next(&text, &before, &e)) {
		buf_put_str(out, before);
		if ((key.n && !str_eq_nocase(e.key, key)) || !each_target(&e, is_target, &target)) {
			buf_put_str(out, e.raw);
			continue;
		}
		changed++;
		if (!each_target(&e, is_other, &target))
			continue;
		struct rewrite w = { .out = out, .drop = target };
		buf_put_str(out, e.key);
		each_target(&e, put_other, &w);
		buf_putc(out, '\n');
	}
	buf_put_str(out, before);
	return changed;
}
