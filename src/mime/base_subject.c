#include "mime/base_subject.h"

#include "base/arena.h"

/* Step 1: white space is one space. */
static struct str collapse(struct str s, struct arena *a)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool space = ascii_is_space((unsigned char)s.p[i]);
		if (!space)
			p[n++] = s.p[i];
		else if (n == 0 || p[n - 1] != ' ')
			p[n++] = ' ';
	}
	return str_of(p, n);
}

/* Step 2: subj-trailer = "(fwd)" / WSP */
static struct str without_trailers(struct str s, bool *is_response)
{
	for (;;) {
		s = str_trim_end(s);
		if (!str_ends_nocase(s, STR("(fwd)")))
			return s;
		s.n -= 5;
		*is_response = true;
	}
}

/* Bytes of a subj-blob = "[" *BLOBCHAR "]" *WSP at the front, or 0. */
static size_t blob_size(struct str s)
{
	if (s.n == 0 || s.p[0] != '[')
		return 0;
	size_t n = 1;
	while (n < s.n && s.p[n] != '[' && s.p[n] != ']')
		n++;
	if (n == s.n || s.p[n] != ']')
		return 0;
	n++;
	while (n < s.n && s.p[n] == ' ')
		n++;
	return n;
}

/* Bytes of subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" at the front, or 0. */
static size_t refwd_size(struct str s)
{
	size_t n = 0;

	if (str_starts_nocase(s, STR("re")))
		n = 2;
	else if (str_starts_nocase(s, STR("fwd")))
		n = 3;
	else if (str_starts_nocase(s, STR("fw")))
		n = 2;
	if (n == 0)
		return 0;
	while (n < s.n && s.p[n] == ' ')
		n++;
	n += blob_size(str_skip(s, n));
	return n < s.n && s.p[n] == ':' ? n + 1 : 0;
}

/* Bytes of subj-leader = (*subj-blob subj-refwd) / WSP at the front, or 0. Blobs that no refwd
 * follows are remembered in *barren, so that a thousand of them are not gone through a thousand
 * times. */
static size_t leader_size(struct str s, const char **barren, bool *is_response)
{
	size_t n = 0;

	if (s.n && s.p[0] == ' ')
		return 1;
	if (s.p < *barren)
		return 0;
	for (size_t blob = blob_size(s); blob; blob = blob_size(str_skip(s, n)))
		n += blob;
	size_t refwd = refwd_size(str_skip(s, n));
	if (refwd == 0) {
		*barren = s.p + n;
		return 0;
	}
	*is_response = true;
	return n + refwd;
}

/* Steps 3 to 5. */
static struct str without_leaders(struct str s, bool *is_response)
{
	const char *barren = s.p;

	for (;;) {
		size_t n = leader_size(s, &barren, is_response);
		if (n == 0) {
			n = blob_size(s);
			if (n == s.n)
				return s;
		}
		if (n == 0)
			return s;
		s = str_skip(s, n);
	}
}

void mime_base_subject(struct str subject, struct arena *a, struct mime_base_subject *out)
{
	struct str s = collapse(subject, a);
	bool is_response = false;

	for (;;) {
		s = without_leaders(without_trailers(s, &is_response), &is_response);
		/* Step 6 */
		if (!str_starts_nocase(s, STR("[fwd:")) || !str_ends(s, STR("]")))
			break;
		s = str_sub(s, 5, s.n - 6);
		is_response = true;
	}
	*out = (struct mime_base_subject){ s, is_response };
}
