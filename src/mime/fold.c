#include "mime/fold.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include "base/utf8.h"

#define DECOMPOSED_MAX 32 /* UTF-16 units: the longest in Unicode has 18 */

static size_t ascii_run(struct str s)
{
	size_t n = 0;

	while (n < s.n && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

/* Combining diacritical marks: what accents of letters decompose to. Marks of other scripts make
 * other letters. */
static bool is_accent(UChar32 c)
{
	return c >= 0x300 && c <= 0x36f;
}

/* A syllable of Hangul found within another would be no syllable. */
static bool is_hangul(UChar32 c)
{
	return c >= 0xac00 && c <= 0xd7a3;
}

static void put(struct buf *out, UChar32 c, bool accents)
{
	if (accents || !is_accent(c))
		utf8_put(out, (uint32_t)u_totitle(c));
}

static void put_decomposed(struct buf *out, UChar32 c, bool accents)
{
	UErrorCode code = U_ZERO_ERROR;
	const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&code);
	UChar units[DECOMPOSED_MAX];

	c = u_totitle(c);
	int32_t n = -1;
	if (U_SUCCESS(code) && !is_hangul(c))
		n = unorm2_getDecomposition(nfkd, c, units, DECOMPOSED_MAX, &code);
	if (n < 0 || U_FAILURE(code)) {
		put(out, c, accents);
		return;
	}
	for (int32_t i = 0; i < n;) {
		UChar32 part;
		U16_NEXT(units, i, n, part);
		put(out, part, accents);
	}
}

static void put_text(struct buf *out, struct str text, bool accents)
{
	while (text.n) {
		size_t run = ascii_run(text);
		char *p = buf_space(out, run + 4);
		if (!p)
			return;
		for (size_t i = 0; i < run; i++)
			p[i] = ascii_upper(text.p[i]);
		buf_added(out, run);
		text = str_skip(text, run);
		if (text.n == 0)
			return;
		uint32_t cp;
		if (utf8_next(&text, &cp) < 0)
			cp = 0xfffd;
		if (cp == 0xdf && !accents)
			buf_puts(out, "SS");
		else
			put_decomposed(out, (UChar32)cp, accents);
	}
}

void mime_fold_put(struct buf *out, struct str text)
{
	put_text(out, text, false);
}

void mime_collate_put(struct buf *out, struct str text)
{
	put_text(out, text, true);
}
