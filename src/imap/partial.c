#include "imap/partial.h"

#include "base/buf.h"
#include "imap/lexer.h"

static int parse_position(struct imap_lexer *lx, bool from_end, uint32_t *out)
{
	int r = from_end ? imap_lexer_expect(lx, '-') : 0;

	if (r == 0)
		r = imap_lexer_number(lx, out);
	if (r == 0 && *out == 0)
		return imap_lexer_bad(lx, "Positions begin with 1");
	return r;
}

int imap_partial_parse(struct imap_lexer *lx, struct imap_partial *out)
{
	int r = imap_lexer_space(lx);

	out->from_end = imap_lexer_look(lx) == '-';
	if (r < 0 || (r = parse_position(lx, out->from_end, &out->first)) < 0 ||
	    (r = imap_lexer_expect(lx, ':')) < 0)
		return r;
	return parse_position(lx, out->from_end, &out->last);
}

void imap_partial_write(struct buf *b, const struct imap_partial *p)
{
	const char *minus = p->from_end ? "-" : "";

	buf_printf(b, "%s%u:%s%u", minus, p->first, minus, p->last);
}

void imap_partial_window(const struct imap_partial *p, size_t n, size_t *from, size_t *count)
{
	size_t first = p->first < p->last ? p->first : p->last;
	size_t last = p->first < p->last ? p->last : p->first;

	if (last > n)
		last = n;
	*count = first <= last ? last - first + 1 : 0;
	*from = *count == 0 ? 0 : p->from_end ? n - last : first - 1;
}
