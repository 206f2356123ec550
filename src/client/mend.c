#include "client/mend.h"

#include "base/buf.h"

static void put(struct mend *m, char c, struct buf *out)
{
	if (!m->in_line && c == '.')
		buf_putc(out, '.');
	buf_putc(out, c);
	m->in_line = true;
}

static void end_line(struct mend *m, struct buf *out)
{
	buf_puts(out, "\r\n");
	m->in_line = false;
}

/* The CR that was held back, when no LF came. */
static void put_lone_cr(struct mend *m, struct buf *out)
{
	if (m->cr)
		put(m, ' ', out);
	m->cr = false;
}

void mend_bytes(struct mend *m, struct str in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (c == '\n') {
			m->cr = false;
			end_line(m, out);
			continue;
		}
		put_lone_cr(m, out);
		if (c == '\r')
			m->cr = true;
		else
			put(m, c ? c : ' ', out);
	}
}

void mend_end(struct mend *m, struct buf *out)
{
	put_lone_cr(m, out);
	if (m->in_line)
		end_line(m, out);
}
