#include "courier/http_response.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct head {
	struct str rest; /* behind the head */
	bool chunked, has_length;
	uint64_t length;
};

static int take_field(struct head *h, struct str line, struct err *err)
{
	struct str name, value;

	if (!str_cut(line, ':', &name, &value))
		return err_set(err, -EINVAL, "HTTP: broken header field");
	value = str_trim(value);
	if (str_eq_nocase(name, STR("Transfer-Encoding"))) {
		if (!str_eq_nocase(value, STR("chunked")))
			return err_set(err, -EINVAL, "HTTP: unknown transfer encoding");
		h->chunked = true;
	} else if (str_eq_nocase(name, STR("Content-Length"))) {
		if (str_to_u64(value, UINT64_MAX, &h->length) < 0)
			return err_set(err, -EINVAL, "HTTP: broken Content-Length");
		h->has_length = true;
	} else if (str_eq_nocase(name, STR("Content-Encoding")) &&
		   !str_eq_nocase(value, STR("identity"))) {
		return err_set(err, -EINVAL, "HTTP: the body is encoded, which was not asked for");
	}
	return 0;
}

static int parse_head(struct str bytes, bool ended, struct head *out, struct err *err)
{
	ssize_t end = str_find(bytes, STR("\r\n\r\n"));
	struct str line = STR_NONE;

	if (end < 0)
		return ended ? err_set(err, -EINVAL, "HTTP: the answer ends in its header")
			     : -EAGAIN;
	struct str head = str_sub(bytes, 0, (size_t)end);
	*out = (struct head){ .rest = str_skip(bytes, (size_t)end + 4) };
	(void)str_next_line(&head, &line);
	if (!str_starts(line, STR("HTTP/1.")) || line.n < 12)
		return err_set(err, -EINVAL, "HTTP: this is no answer");
	if (!str_eq(str_sub(line, 8, 4), STR(" 200")))
		return err_set(err, -EINVAL, "HTTP: answered with%" STR_FMT,
			       STR_ARG(str_sub(line, 8, 40)));
	while (str_next_line(&head, &line)) {
		int r = take_field(out, line, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* RFC 9112 7.1 */
static int parse_chunks(struct str rest, struct arena *a, struct str *body)
{
	struct buf b;

	buf_init(&b, a, rest.n + 1);
	for (;;) {
		ssize_t end = str_find(rest, STR("\r\n"));
		size_t size = 0, digits = 0;
		if (end < 0)
			return rest.n > 100 ? -EINVAL : -EAGAIN;
		while (digits < (size_t)end && digits < 7) {
			int value = ascii_hex_value((unsigned char)rest.p[digits]);
			if (value < 0)
				break;
			size = size << 4 | (size_t)value;
			digits++;
		}
		if (!digits ||
		    (digits < (size_t)end && rest.p[digits] != ';' && rest.p[digits] != ' '))
			return -EINVAL;
		rest = str_skip(rest, (size_t)end + 2);
		if (size == 0)
			break;
		if (rest.n < size + 2)
			return -EAGAIN;
		if (!str_eq(str_sub(rest, size, 2), STR("\r\n")))
			return -EINVAL;
		buf_put_str(&b, str_sub(rest, 0, size));
		rest = str_skip(rest, size + 2);
	}
	*body = buf_str(&b);
	return 0;
}

int http_response_parse(struct str bytes, bool ended, struct arena *a, struct str *body,
			struct err *err)
{
	struct head h;
	int r = parse_head(bytes, ended, &h, err);

	if (r < 0)
		return r;
	if (h.chunked)
		r = parse_chunks(h.rest, a, body);
	else if (h.has_length)
		r = h.rest.n < h.length ? -EAGAIN : 0;
	else
		r = ended ? 0 : -EAGAIN;
	if (r == -EINVAL || (r == -EAGAIN && ended))
		return err_set(err, -EINVAL, "HTTP: the body is broken or cut off");
	if (r == 0 && !h.chunked)
		*body = arena_str(a, h.has_length ? str_sub(h.rest, 0, (size_t)h.length) : h.rest);
	return r;
}
