#include "base/str.h"

#include <errno.h>

int ascii_hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int cmp_nocase(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)ascii_lower(a[i]);
		unsigned char y = (unsigned char)ascii_lower(b[i]);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

bool str_eq_nocase(struct str a, struct str b)
{
	return a.n == b.n && cmp_nocase(a.p, b.p, a.n) == 0;
}

static int cmp_lengths(size_t a, size_t b)
{
	return a == b ? 0 : a < b ? -1 : 1;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;
	return r ? r : cmp_lengths(a.n, b.n);
}

int str_cmp_nocase(struct str a, struct str b)
{
	int r = cmp_nocase(a.p, b.p, a.n < b.n ? a.n : b.n);
	return r ? r : cmp_lengths(a.n, b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq_nocase(str_sub(s, 0, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_skip(s, s.n - suffix.n), suffix);
}

bool str_ends_nocase(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq_nocase(str_skip(s, s.n - suffix.n), suffix);
}

ssize_t str_find_byte(struct str s, char c)
{
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
	return hit ? hit - s.p : -1;
}

ssize_t str_rfind_byte(struct str s, char c)
{
	const char *hit = s.n ? memrchr(s.p, c, s.n) : NULL;
	return hit ? hit - s.p : -1;
}

ssize_t str_find(struct str s, struct str needle)
{
	if (needle.n == 0)
		return 0;
	const char *hit = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return hit ? hit - s.p : -1;
}

ssize_t str_find_nocase(struct str s, struct str needle)
{
	for (size_t i = 0; i + needle.n <= s.n; i++)
		if (str_starts_nocase(str_skip(s, i), needle))
			return (ssize_t)i;
	return -1;
}

struct str str_trim_end(struct str s)
{
	while (s.n && ascii_is_space((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_trim(struct str s)
{
	while (s.n && ascii_is_space((unsigned char)s.p[0]))
		s = str_skip(s, 1);
	return str_trim_end(s);
}

struct str str_chomp(struct str s)
{
	if (!s.n || s.p[s.n - 1] != '\n')
		return s;
	s.n--;
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

bool str_cut(struct str s, char sep, struct str *before, struct str *after)
{
	ssize_t at = str_find_byte(s, sep);
	if (at < 0) {
		*before = s;
		*after = str_skip(s, s.n);
		return false;
	}
	*before = str_sub(s, 0, (size_t)at);
	*after = str_skip(s, (size_t)at + 1);
	return true;
}

bool str_next_word(struct str *rest, struct str *word)
{
	struct str s = *rest;
	while (s.n && ascii_is_wsp((unsigned char)s.p[0]))
		s = str_skip(s, 1);

	size_t n = 0;
	while (n < s.n && !ascii_is_wsp((unsigned char)s.p[n]))
		n++;
	*rest = str_skip(s, n);
	*word = str_sub(s, 0, n);
	return n > 0;
}

bool str_next_line(struct str *rest, struct str *line)
{
	if (rest->n == 0)
		return false;

	struct str after;
	bool ended = str_cut(*rest, '\n', line, &after);
	*rest = after;
	if (ended && line->n && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

int str_to_u64(struct str s, uint64_t max, uint64_t *out)
{
	if (s.n == 0)
		return -EINVAL;

	uint64_t v = 0;
	bool overflow = false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit((unsigned char)s.p[i]))
			return -EINVAL;
		overflow |= __builtin_mul_overflow(v, 10, &v);
		overflow |= __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v);
	}
	if (overflow || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

bool str_is_ascii(struct str s)
{
	unsigned char all = 0;
	for (size_t i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all < 0x80;
}

bool str_is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* One multiply-and-fold step of wyhash's kind. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t str_hash(struct str s, uint64_t seed)
{
	uint64_t h = seed ^ 0x9e3779b97f4a7c15u ^ s.n;
	while (s.n >= 8) {
		uint64_t w;
		memcpy(&w, s.p, 8);
		h = mix(h ^ w, 0xa0761d6478bd642fu ^ seed);
		s = str_skip(s, 8);
	}
	uint64_t tail = 0;
	if (s.n)
		memcpy(&tail, s.p, s.n);
	return mix(h ^ tail, 0xe7037ed1a0b428dbu ^ seed);
}

bool str_eq_secret(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	unsigned char diff = 0;
	for (size_t i = 0; i < a.n; i++)
		diff |= (unsigned char)(a.p[i] ^ b.p[i]);
	return diff == 0;
}

void str_lower_bytes(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = ascii_lower(p[i]);
}
