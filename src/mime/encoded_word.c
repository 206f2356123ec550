#include "mime/encoded_word.h"

#include <string.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "mime/charset.h"
#include "mime/lex.h"
#include "mime/param.h"
#include "mime/transfer.h"

#define LINE_MAX_BYTES 76
#define WORD_MAX       75
#define WORD_START     "=?utf-8?B?"
#define WORD_END       "?="
#define WORD_TEXT_MAX  (WORD_MAX - sizeof(WORD_START WORD_END) + 1)
#define WORD_TEXT_MIN  24 /* less room than that on a line is not worth a word */

struct word {
	struct str charset;
	struct str text;
	bool is_base64;
	size_t end; /* offset behind it */
};

struct reader {
	struct str s;
	size_t at;
	size_t next_end; /* the first "?=" from where it was last searched; s.n for none */
	struct mime_charset charset; /* of the words before `at`, while `in_words` */
	struct str charset_name;
	bool in_words;
	struct buf *out;
};

/* Offset of the first "?=" from `from` on, or s.n. Every byte is searched once for all words. */
static size_t find_end(struct reader *r, size_t from)
{
	if (r->next_end < from) {
		ssize_t hit = str_find(str_skip(r->s, from), STR(WORD_END));
		r->next_end = hit < 0 ? r->s.n : from + (size_t)hit;
	}
	return r->next_end;
}

static bool is_base64_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alnum((unsigned char)s.p[i]) && !mime_lex_is_in("+/= \t\r\n", s.p[i]))
			return false;
	return true;
}

/* Is there an encoded word at an offset? */
static bool parse_word(struct reader *r, size_t at, struct word *out)
{
	struct str s = str_skip(r->s, at);
	if (!str_starts(s, STR("=?")))
		return false;

	/* charset, perhaps with *language, then one letter */
	struct str start = str_sub(s, 2, MIME_CHARSET_NAME_MAX + 16);
	ssize_t mark = str_find_byte(start, '?');
	if (mark <= 0 || s.n < (size_t)mark + 5 || s.p[mark + 4] != '?')
		return false;
	char letter = ascii_lower(s.p[mark + 3]);
	if (letter != 'b' && letter != 'q')
		return false;

	struct str language;
	(void)str_cut(str_sub(start, 0, (size_t)mark), '*', &out->charset, &language);
	size_t text = at + (size_t)mark + 5;
	size_t end = find_end(r, text);
	if (end == r->s.n)
		return false;
	out->text = str_sub(r->s, text, end - text);
	out->is_base64 = letter == 'b';
	out->end = end + 2;
	return !out->is_base64 || is_base64_text(out->text);
}

/* RFC 2047 4.2: quoted-printable with '_' for a space. */
static void decode_q(struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		int high = -1, low = -1;
		if (text.p[i] == '=' && text.n - i > 2) {
			high = ascii_hex_value((unsigned char)text.p[i + 1]);
			low = ascii_hex_value((unsigned char)text.p[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			buf_putc(out, (char)(high << 4 | low));
			i += 2;
		} else {
			buf_putc(out, text.p[i] == '_' ? ' ' : text.p[i]);
		}
	}
}

static void words_end(struct reader *r)
{
	if (!r->in_words)
		return;
	mime_charset_finish(&r->charset, r->out);
	mime_charset_close(&r->charset);
	r->in_words = false;
}

static void take_word(struct reader *r, const struct word *w)
{
	auto_buf struct buf bytes;
	buf_init(&bytes, NULL, w->text.n);
	if (w->is_base64) {
		struct mime_decoder d;
		mime_decoder_init(&d, MIME_ENCODING_BASE64);
		mime_decoder_put(&d, w->text, &bytes);
		mime_decoder_finish(&d, &bytes);
	} else {
		decode_q(w->text, &bytes);
	}

	/* Senders split characters between words; so a text goes on while its charset does. */
	if (!r->in_words || !str_eq_nocase(r->charset_name, w->charset)) {
		words_end(r);
		mime_charset_open(&r->charset, w->charset);
		r->charset_name = w->charset;
		r->in_words = true;
	}
	mime_charset_put(&r->charset, buf_str(&bytes), r->out);
	r->at = w->end;
}

/* RFC 2047 6.2: white space between words is not part of the text. */
static bool next_word(struct reader *r, struct word *out)
{
	size_t at = r->at;
	while (r->in_words && at < r->s.n && ascii_is_space((unsigned char)r->s.p[at]))
		at++;
	return parse_word(r, at, out);
}

/* Text up to where the next word may begin. */
static void take_literal(struct reader *r)
{
	words_end(r);
	struct str rest = str_skip(r->s, r->at);
	ssize_t next = str_find(str_skip(rest, 1), STR("=?"));
	struct str literal = next < 0 ? rest : str_sub(rest, 0, (size_t)next + 1);
	mime_charset_to_utf8(STR("utf-8"), literal, r->out);
	r->at += literal.n;
}

static void replace_controls(struct buf *b, size_t from)
{
	for (size_t i = from; i < b->n; i++)
		if (((unsigned char)b->p[i] < ' ' && b->p[i] != '\t') || b->p[i] == 0x7f)
			b->p[i] = ' ';
}

void mime_encoded_word_decode(struct str value, struct buf *out)
{
	struct reader r = { .s = value, .out = out };
	size_t before = out->n;
	while (r.at < value.n) {
		struct word w;
		if (next_word(&r, &w))
			take_word(&r, &w);
		else
			take_literal(&r);
	}
	words_end(&r);
	replace_controls(out, before);
}

void mime_param_text(const struct mime_param *p, struct buf *out)
{
	size_t before = out->n;
	if (!p->is_extended) {
		mime_encoded_word_decode(p->value, out);
		return;
	}
	mime_charset_to_utf8(p->charset, p->value, out);
	replace_controls(out, before);
}

/* RFC 2047 5 (3): what needs no escape even in a display name. */
static bool is_q_plain(char c)
{
	return ascii_is_alnum((unsigned char)c) || mime_lex_is_in("!*+-/", c);
}

static size_t q_size(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += is_q_plain(s.p[i]) || s.p[i] == ' ' ? 1 : 3;
	return n;
}

static void put_q(struct buf *out, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == ' ') {
			buf_putc(out, '_');
		} else if (is_q_plain((char)c)) {
			buf_putc(out, (char)c);
		} else {
			buf_putc(out, '=');
			buf_putc(out, digits[c >> 4]);
			buf_putc(out, digits[c & 15]);
		}
	}
}

/* Bytes of whole characters at the front whose encoding fits into `room`. */
static size_t fitting(struct str s, bool base64, size_t room)
{
	size_t used = 0, n = 0;
	struct str rest = s;
	uint32_t cp;
	while (utf8_next(&rest, &cp) == 0) {
		struct str c = str_sub(s, n, s.n - rest.n - n);
		used = base64 ? (n + c.n + 2) / 3 * 4 : used + q_size(c);
		if (used > room)
			break;
		n += c.n;
	}
	return n;
}

static void put_words(struct buf *out, struct str text, size_t column)
{
	bool base64 = q_size(text) > 2 * text.n; /* else it stays readable */
	while (text.n) {
		size_t taken = column + sizeof(WORD_START WORD_END) - 1;
		size_t room = taken < LINE_MAX_BYTES ? LINE_MAX_BYTES - taken : 0;
		if (room < WORD_TEXT_MIN) {
			buf_puts(out, "\r\n ");
			room = WORD_TEXT_MAX;
		}
		if (room > WORD_TEXT_MAX)
			room = WORD_TEXT_MAX;
		struct str part = str_sub(text, 0, fitting(text, base64, room));
		buf_puts(out, base64 ? WORD_START : "=?utf-8?Q?");
		if (base64)
			base64_write(out, part);
		else
			put_q(out, part);
		buf_puts(out, WORD_END);
		text = str_skip(text, part.n);
		column = LINE_MAX_BYTES;
	}
}

void mime_encoded_word_write(struct buf *out, struct str text, size_t column)
{
	if (str_is_printable(text) && str_find(text, STR("=?")) < 0) {
		buf_put_str(out, text);
		return;
	}
	auto_buf struct buf valid;
	buf_init(&valid, NULL, text.n * 3);
	mime_charset_to_utf8(STR("utf-8"), text, &valid);
	put_words(out, buf_str(&valid), column);
}
