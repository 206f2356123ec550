#include "imap/fold.h"

#include <unicode/uchar.h>

#include "base/utf8.h"

static size_t ascii_run(struct str s)
{
	size_t n = 0;

	while (n < s.n && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

void imap_fold_put(struct buf *out, struct str text)
{
	while (text.n) {
		size_t run = ascii_run(text);
		char *p = buf_space(out, run + 4);
		if (!p)
			return;
		memcpy(p, text.p, run);
		str_lower_bytes(p, run);
		buf_added(out, run);
		text = str_skip(text, run);
		if (text.n == 0)
			return;
		uint32_t cp;
		if (utf8_next(&text, &cp) < 0)
			cp = 0xfffd;
		utf8_put(out, (uint32_t)u_foldCase((UChar32)cp, U_FOLD_CASE_DEFAULT));
	}
}
