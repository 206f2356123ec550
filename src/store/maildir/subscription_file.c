#include "store/maildir/subscription_file.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "store/maildir/disk_name.h"
#include "store/name.h"
#include "store/store.h"

#define SUBSCRIPTIONS_MAX STORE_BOXES_MAX

/* A name in version 2 has tabs between its levels; a dot inside a level cannot exist here. */
static bool line_to_name(struct str line, bool version2, struct arena *a, struct str *name)
{
	char *spelled = arena_cstr(a, line);
	if (version2) {
		if (str_find_byte(line, '.') >= 0)
			return false;
		for (char *p = spelled; *p; p++)
			if (*p == '\t')
				*p = '.';
	}
	return disk_name_parse(str_of(spelled, line.n), a, name);
}

unsigned subscription_file_parse(struct str text, struct arena *a, struct subscription_list *out)
{
	unsigned wrong = 0;
	struct str line, rest = text;
	struct map seen;
	struct subscription_list l = { 0 };

	size_t lines = 1;
	for (size_t i = 0; i < text.n && lines < SUBSCRIPTIONS_MAX; i++)
		lines += text.p[i] == '\n';
	l.v = ARENA_NEW_ARRAY(a, struct str, lines);

	map_init(&seen);
	if (str_next_line(&rest, &line) && str_eq(line, STR("V\t2")))
		l.version2 = true;
	else
		rest = text;

	while (str_next_line(&rest, &line)) {
		struct str name;
		if (line.n == 0)
			continue;
		if (l.n == lines || !line_to_name(line, l.version2, a, &name)) {
			wrong++;
			continue;
		}
		name = store_name_canonical(a, name);
		if (!map_put(&seen, name, &l))
			l.v[l.n++] = name;
	}
	map_done(&seen);
	*out = l;
	return wrong;
}

void subscription_file_write(struct buf *out, const struct subscription_list *l)
{
	buf_puts(out, "V\t2\n\n");
	for (size_t i = 0; i < l->n; i++) {
		size_t start = out->n;
		disk_name_write(out, l->v[i]);
		if (buf_failed(out))
			return;
		for (size_t at = start; at < out->n; at++)
			if (out->p[at] == '.')
				out->p[at] = '\t';
		buf_putc(out, '\n');
	}
}
