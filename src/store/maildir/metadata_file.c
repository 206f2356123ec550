#include "store/maildir/metadata_file.h"

#include "base/arena.h"

static bool decode(struct str text, struct arena *a, struct str *out)
{
	char *p = arena_alloc(a, text.n);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '%') {
			p[n++] = text.p[i];
			continue;
		}
		if (i + 2 >= text.n)
			return false;
		int high = ascii_hex_value((unsigned char)text.p[i + 1]);
		int low = ascii_hex_value((unsigned char)text.p[i + 2]);
		if (high < 0 || low < 0)
			return false;
		p[n++] = (char)(high * 16 + low);
		i += 2;
	}
	*out = str_of(p, n);
	return true;
}

static bool line_parse(struct str line, struct arena *a, struct store_meta *out)
{
	struct str box, entry, value;

	return str_cut(line, '\t', &box, &value) && str_cut(value, '\t', &entry, &value) &&
	       entry.n > 0 && decode(box, a, &out->box) && decode(entry, a, &out->entry) &&
	       decode(value, a, &out->value);
}

unsigned metadata_file_parse(struct str text, struct arena *a, struct store_meta_list *out)
{
	unsigned wrong = 0;
	size_t lines = 1;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	*out = (struct store_meta_list){ .v = ARENA_NEW_ARRAY(a, struct store_meta, lines) };
	STR_FOREACH_LINE (text, line) {
		if (line_parse(line, a, &out->v[out->n]))
			out->n++;
		else
			wrong += line.n > 0;
	}
	return wrong;
}

static void encode(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c < ' ' || c == '%' || c == 0x7f)
			buf_printf(out, "%%%02X", c);
		else
			buf_putc(out, (char)c);
	}
}

void metadata_file_write(struct buf *out, const struct store_meta_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		encode(out, l->v[i].box);
		buf_putc(out, '\t');
		encode(out, l->v[i].entry);
		buf_putc(out, '\t');
		encode(out, l->v[i].value);
		buf_putc(out, '\n');
	}
}
