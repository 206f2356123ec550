/* A borrowed slice of bytes: by value, not NUL-terminated, may hold any byte. Whoever lends the
 * bytes says how long they live. Case folding is ASCII only, as the mail protocols define it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "base/check.h"

struct str {
	const char *p;
	size_t n;
};

#define STR_INIT(lit) { "" lit, sizeof(lit) - 1 } /* in static tables */
#define STR(lit)      ((struct str)STR_INIT(lit))
#define STR_NONE      ((struct str){ NULL, 0 })

/* printf("%" STR_FMT, STR_ARG(s)) */
#define STR_FMT	   ".*s"
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_from(const char *cstr)
{
	return (struct str){ cstr, cstr ? strlen(cstr) : 0 };
}

static inline struct str str_of(const void *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Bytes [from, from + n), cut to what there is. */
static inline struct str str_sub(struct str s, size_t from, size_t n)
{
	if (from > s.n)
		from = s.n;
	if (n > s.n - from)
		n = s.n - from;
	return (struct str){ from ? s.p + from : s.p, n }; /* NULL + 0 is undefined in C */
}

static inline struct str str_skip(struct str s, size_t n)
{
	return str_sub(s, n, SIZE_MAX);
}

/* ASCII classes; c is any byte value or -1. */
static inline bool ascii_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_alnum(int c)
{
	return ascii_is_digit(c) || ascii_is_alpha(c);
}

/* Space or horizontal tab: WSP of RFC 5234. */
static inline bool ascii_is_wsp(int c)
{
	return c == ' ' || c == '\t';
}

/* WSP, CR or LF. */
static inline bool ascii_is_space(int c)
{
	return ascii_is_wsp(c) || c == '\r' || c == '\n';
}

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline char ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

/* Value of a hexadecimal digit, -1 for any other byte. */
int ascii_hex_value(int c);

bool str_eq_nocase(struct str a, struct str b);

/* memcmp order, shorter first; the nocase variant folds ASCII. */
int str_cmp(struct str a, struct str b);
int str_cmp_nocase(struct str a, struct str b);

bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_ends_nocase(struct str s, struct str suffix);

/* Offset of the first (r: last) occurrence, -1 when there is none. */
ssize_t str_find_byte(struct str s, char c);
ssize_t str_rfind_byte(struct str s, char c);
ssize_t str_find(struct str s, struct str needle);
ssize_t str_find_nocase(struct str s, struct str needle);

/* Without leading and trailing WSP, CR, LF. */
struct str str_trim(struct str s);
struct str str_trim_end(struct str s);

/* Without the final CRLF or LF, if there is one. */
struct str str_chomp(struct str s);

/* Split at the first sep. False when there is none: then *before = s, *after = empty. */
bool str_cut(struct str s, char sep, struct str *before, struct str *after);

/* Take the next run of non-WSP bytes off the front of *rest. False at the end. */
bool str_next_word(struct str *rest, struct str *word);

/* Take the next line off *rest, without its LF or CRLF; a last line without LF counts. False at the
 * end. */
bool str_next_line(struct str *rest, struct str *line);

/* Decimal digits only, whole string, value <= max. 0, -EINVAL (not a number) or -ERANGE. */
int must_check str_to_u64(struct str s, uint64_t max, uint64_t *out);

/* Is every byte below 0x80 (and, printable: from SP to ~)? */
bool str_is_ascii(struct str s);
bool str_is_printable(struct str s);

/* For hash tables; seed it per process (rand_seed) when a peer chooses the keys. */
uint64_t str_hash(struct str s, uint64_t seed);

/* Constant time in the contents, for secrets. */
bool str_eq_secret(struct str a, struct str b);

/* Lower-case ASCII in place. */
void str_lower_bytes(char *p, size_t n);

/* for (each line of a text) { ... } */
#define STR_FOREACH_LINE(text, line)                                                               \
	for (struct str rest_ = (text), line = STR_NONE; str_next_line(&rest_, &line);)
