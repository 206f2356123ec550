#include "mime/charset.h"

#include <unicode/ucnv.h>

#include "base/utf8.h"

#define REPLACEMENT 0xfffd
#define UNITS_MAX   256

/* Names that ICU does not know, or takes for less than what is sent under them. */
static const struct alias {
	struct str name, is;
} aliases[] = {
	{ STR_INIT("utf-8"), STR_INIT("utf-8") },
	{ STR_INIT("utf8"), STR_INIT("utf-8") },
	{ STR_INIT("unicode-1-1-utf-8"), STR_INIT("utf-8") },
	{ STR_INIT("us-ascii"), STR_INIT("utf-8") },
	{ STR_INIT("ascii"), STR_INIT("utf-8") },
	{ STR_INIT("ansi_x3.4-1968"), STR_INIT("utf-8") },
	{ STR_INIT("windows-1252"), STR_INIT("windows-1252") },
	{ STR_INIT("cp1252"), STR_INIT("windows-1252") },
	{ STR_INIT("cp-1252"), STR_INIT("windows-1252") },
	{ STR_INIT("iso-8859-1"), STR_INIT("windows-1252") },
	{ STR_INIT("iso8859-1"), STR_INIT("windows-1252") },
	{ STR_INIT("iso_8859-1"), STR_INIT("windows-1252") },
	{ STR_INIT("latin1"), STR_INIT("windows-1252") },
	{ STR_INIT("iso-8859-8-i"), STR_INIT("iso-8859-8") },
	{ STR_INIT("iso-8859-8-e"), STR_INIT("iso-8859-8") },
	{ STR_INIT("gb2312"), STR_INIT("gb18030") },
	{ STR_INIT("gbk"), STR_INIT("gb18030") },
	{ STR_INIT("ks_c_5601-1987"), STR_INIT("windows-949") },
	{ STR_INIT("euc-kr"), STR_INIT("windows-949") },
	{ STR_INIT("x-sjis"), STR_INIT("windows-31j") },
	{ STR_INIT("shift_jis"), STR_INIT("windows-31j") },
};

/* Windows-1252 0x80..0x9f; elsewhere it is ISO-8859-1. */
static const uint16_t windows_1252[32] = {
	0x20ac,	     REPLACEMENT, 0x201a, 0x0192, 0x201e, 0x2026,      0x2020, 0x2021,
	0x02c6,	     0x2030,	  0x0160, 0x2039, 0x0152, REPLACEMENT, 0x017d, REPLACEMENT,
	REPLACEMENT, 0x2018,	  0x2019, 0x201c, 0x201d, 0x2022,      0x2013, 0x2014,
	0x02dc,	     0x2122,	  0x0161, 0x203a, 0x0153, REPLACEMENT, 0x017e, 0x0178,
};

/* Lower-case the name into `to`. False when it cannot be one: ICU takes options after a comma,
 * and an empty name for the machine's own charset. */
static bool name_copy(struct str name, char to[static MIME_CHARSET_NAME_MAX + 1])
{
	name = str_trim(name);
	if (name.n == 0 || name.n > MIME_CHARSET_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (!ascii_is_alnum(c) && c != '-' && c != '_' && c != '.' && c != ':' && c != '+')
			return false;
		to[i] = ascii_lower(name.p[i]);
	}
	to[name.n] = '\0';
	return true;
}

/* True when the name is known; then c is open. */
static bool charset_lookup(struct mime_charset *c, struct str name)
{
	char text[MIME_CHARSET_NAME_MAX + 1];
	*c = (struct mime_charset){ .kind = MIME_CHARSET_UTF8 };
	if (!name_copy(name, text))
		return false;

	struct str is = str_from(text);
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (str_eq(aliases[i].name, str_from(text))) {
			is = aliases[i].is;
			break;
		}
	}
	if (str_eq(is, STR("utf-8")))
		return true;
	if (str_eq(is, STR("windows-1252"))) {
		c->kind = MIME_CHARSET_WINDOWS_1252;
		return true;
	}

	/* Every alias is a literal and so NUL-terminated, like `text`. */
	UErrorCode status = U_ZERO_ERROR;
	UConverter *icu = ucnv_open(is.p, &status);
	if (U_FAILURE(status))
		return false;
	c->kind = MIME_CHARSET_ICU;
	c->icu = icu;
	return true;
}

void mime_charset_open(struct mime_charset *c, struct str name)
{
	(void)charset_lookup(c, name);
}

void mime_charset_close(struct mime_charset *c)
{
	ucnv_close(c->icu);
	c->icu = NULL;
}

bool mime_charset_is_known(struct str name)
{
	struct mime_charset c;
	bool known = charset_lookup(&c, name);
	mime_charset_close(&c);
	return known;
}

/* Bytes at the front that are ASCII. */
static size_t ascii_run(struct str s)
{
	size_t n = 0;
	while (n < s.n && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

static void put_windows_1252(struct str s, struct buf *out)
{
	while (s.n) {
		size_t n = ascii_run(s);
		buf_put(out, s.p, n);
		s = str_skip(s, n);
		if (s.n == 0)
			return;
		unsigned char c = (unsigned char)s.p[0];
		utf8_put(out, c < 0xa0 ? windows_1252[c - 0x80] : c);
		s = str_skip(s, 1);
	}
}

/* Bytes of the sequence that a lead byte begins. */
static size_t sequence_size(unsigned char lead)
{
	return lead < 0x80   ? 1
	       : lead < 0xc2 ? 0
	       : lead < 0xe0 ? 2
	       : lead < 0xf0 ? 3
	       : lead < 0xf5 ? 4
			     : 0;
}

/* Write the pending sequence if it is complete, replace it if it can never be. */
static void utf8_settle(struct mime_charset *c, struct buf *out)
{
	struct str s = str_of(c->pending, c->n_pending);
	size_t size = sequence_size((unsigned char)c->pending[0]);
	uint32_t cp;
	if (s.n < size)
		return;
	utf8_put(out, size && utf8_next(&s, &cp) == 0 ? cp : REPLACEMENT);
	c->n_pending = 0;
}

static void utf8_cut_off(struct mime_charset *c, struct buf *out)
{
	if (c->n_pending)
		utf8_put(out, REPLACEMENT);
	c->n_pending = 0;
}

static void put_utf8(struct mime_charset *c, struct str s, struct buf *out)
{
	while (s.n) {
		size_t n = c->n_pending ? 0 : ascii_run(s);
		buf_put(out, s.p, n);
		s = str_skip(s, n);
		if (s.n == 0)
			return;
		if ((s.p[0] & 0xc0) != 0x80)
			utf8_cut_off(c, out);
		c->pending[c->n_pending++] = s.p[0];
		utf8_settle(c, out);
		s = str_skip(s, 1);
	}
}

static void put_unit(struct mime_charset *c, uint32_t unit, struct buf *out)
{
	if (c->high_surrogate && (unit & 0xfc00) != 0xdc00) {
		utf8_put(out, REPLACEMENT);
		c->high_surrogate = 0;
	}
	if ((unit & 0xfc00) == 0xd800) {
		c->high_surrogate = unit;
		return;
	}
	if (c->high_surrogate)
		unit = 0x10000 + ((c->high_surrogate & 0x3ff) << 10 | (unit & 0x3ff));
	c->high_surrogate = 0;
	/* Some of ICU's tables mark what they cannot convert with SUBSTITUTE. */
	utf8_put(out, unit == 0x1a ? REPLACEMENT : unit);
}

static void put_icu(struct mime_charset *c, struct str s, bool finish, struct buf *out)
{
	const char *from = s.p ? s.p : "";
	const char *end = from + s.n;
	UErrorCode status;
	do {
		UChar units[UNITS_MAX], *to = units;
		status = U_ZERO_ERROR;
		ucnv_toUnicode(c->icu, &to, units + UNITS_MAX, &from, end, NULL, finish, &status);
		for (UChar *u = units; u < to; u++)
			put_unit(c, *u, out);
	} while (status == U_BUFFER_OVERFLOW_ERROR);
	if (U_FAILURE(status)) {
		utf8_put(out, REPLACEMENT);
		ucnv_reset(c->icu);
	}
}

void mime_charset_put(struct mime_charset *c, struct str piece, struct buf *out)
{
	if (c->kind == MIME_CHARSET_ICU)
		put_icu(c, piece, false, out);
	else if (c->kind == MIME_CHARSET_WINDOWS_1252)
		put_windows_1252(piece, out);
	else
		put_utf8(c, piece, out);
}

void mime_charset_finish(struct mime_charset *c, struct buf *out)
{
	if (c->kind == MIME_CHARSET_ICU) {
		put_icu(c, STR_NONE, true, out);
		if (c->high_surrogate)
			utf8_put(out, REPLACEMENT);
		c->high_surrogate = 0;
		ucnv_reset(c->icu);
	}
	utf8_cut_off(c, out);
}

void mime_charset_to_utf8(struct str name, struct str text, struct buf *out)
{
	auto_charset struct mime_charset c;
	mime_charset_open(&c, name);
	mime_charset_put(&c, text, out);
	mime_charset_finish(&c, out);
}
