#include "store/maildir/keyword_file.h"

#include "base/arena.h"
#include "store/name.h"

unsigned keyword_file_parse(struct str text, struct arena *a, struct keyword_table *out)
{
	unsigned wrong = 0;
	*out = (struct keyword_table){ 0 };
	STR_FOREACH_LINE (text, line) {
		struct str index, name;
		uint64_t i;
		if (!str_cut(line, ' ', &index, &name) ||
		    str_to_u64(index, STORE_KEYWORDS_MAX - 1, &i) < 0 ||
		    !store_keyword_is_valid(name) || out->names[i].n ||
		    keyword_table_find(out, name) >= 0) {
			wrong++;
			continue;
		}
		out->names[i] = arena_str(a, name);
		if (i >= out->n)
			out->n = (unsigned)i + 1;
	}
	return wrong;
}

void keyword_file_write(struct buf *out, const struct keyword_table *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		if (!t->names[i].n)
			continue;
		buf_put_u64(out, i);
		buf_putc(out, ' ');
		buf_put_str(out, t->names[i]);
		buf_putc(out, '\n');
	}
}
