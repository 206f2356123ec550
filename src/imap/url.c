#include "imap/url.h"

#include <errno.h>

#include "base/arena.h"
#include "base/utf8.h"

/* RFC 3986 2.1 */
static int decode(struct str text, struct arena *a, struct str *out)
{
	char *p = arena_alloc(a, text.n);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '%') {
			p[n++] = text.p[i];
			continue;
		}
		int high = i + 2 < text.n ? ascii_hex_value((unsigned char)text.p[i + 1]) : -1;
		int low = i + 2 < text.n ? ascii_hex_value((unsigned char)text.p[i + 2]) : -1;
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return -EINVAL;
		p[n++] = (char)(high * 16 + low);
		i += 2;
	}
	*out = str_of(p, n);
	return utf8_is_valid(*out) ? 0 : -EINVAL;
}

/* Take ";NAME=" off the front of the text. */
static bool take_name(struct str *text, const char *name)
{
	struct str n = str_from(name);

	if (!str_starts_nocase(*text, n))
		return false;
	*text = str_skip(*text, n.n);
	return true;
}

static int take_number(struct str *text, uint32_t *out)
{
	size_t n = 0;
	uint64_t v;

	while (n < text->n && ascii_is_digit((unsigned char)text->p[n]))
		n++;
	if (str_to_u64(str_sub(*text, 0, n), UINT32_MAX, &v) < 0)
		return -EINVAL;
	*text = str_skip(*text, n);
	*out = (uint32_t)v;
	return 0;
}

/* "/mailbox;UIDVALIDITY=1/" in front of ";UID=". */
static int parse_mailbox(struct str text, struct arena *a, struct imap_url *out)
{
	ssize_t at = str_find_nocase(text, STR(";UIDVALIDITY="));
	struct str number;

	if (text.n < 3 || text.p[0] != '/' || text.p[1] == '/' || text.p[text.n - 1] != '/')
		return -EINVAL;
	text = str_sub(text, 1, text.n - 2);
	if (at >= 0) {
		number = str_skip(text, (size_t)at - 1 + strlen(";UIDVALIDITY="));
		if (take_number(&number, &out->uidvalidity) < 0 || number.n || !out->uidvalidity)
			return -EINVAL;
		text = str_sub(text, 0, (size_t)at - 1);
	}
	return decode(text, a, &out->mailbox);
}

/* "/;PARTIAL=0.1024" */
static int parse_partial(struct str text, struct imap_url *out)
{
	if (!take_name(&text, "/;PARTIAL=") || take_number(&text, &out->offset) < 0)
		return -EINVAL;
	out->is_partial = true;
	if (str_starts(text, STR("."))) {
		text = str_skip(text, 1);
		if (take_number(&text, &out->length) < 0 || out->length == 0)
			return -EINVAL;
	}
	return text.n ? -EINVAL : 0;
}

int imap_url_parse(struct str text, struct arena *a, struct imap_url *out)
{
	struct imap_url url = { 0 };

	ssize_t at = str_find_nocase(text, STR(";UID="));
	if (at < 0 || (at > 0 && parse_mailbox(str_sub(text, 0, (size_t)at), a, &url) < 0))
		return -EINVAL;
	struct str rest = str_skip(text, (size_t)at + strlen(";UID="));
	if (take_number(&rest, &url.uid) < 0 || url.uid == 0)
		return -EINVAL;
	if (take_name(&rest, "/;SECTION=")) {
		ssize_t end = str_find_nocase(rest, STR("/;PARTIAL="));
		struct str section = end < 0 ? rest : str_sub(rest, 0, (size_t)end);
		if (section.n == 0 || decode(section, a, &url.section) < 0)
			return -EINVAL;
		rest = str_skip(rest, section.n);
	}
	if (rest.n && parse_partial(rest, &url) < 0)
		return -EINVAL;
	*out = url;
	return 0;
}
