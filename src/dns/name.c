#include "dns/name.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"

#define POINTER_BITS 0xc0
#define TEXT_MAX     (DNS_NAME_MAX * 4) /* every byte as \DDD */

static uint8_t lower(uint8_t c)
{
	return (uint8_t)ascii_lower((char)c);
}

/* `at` is that of the name's first byte: pointers lead to an earlier place each, so they end. */
static int follow_pointer(struct str packet, size_t at, size_t *limit, size_t *to)
{
	const uint8_t *p = (const uint8_t *)packet.p;

	if (packet.n - at < 2)
		return -EBADMSG;
	*to = (size_t)(p[at] & ~POINTER_BITS) << 8 | p[at + 1];
	if (*to >= *limit)
		return -EBADMSG;
	*limit = *to;
	return 0;
}

static int add_label(struct dns_name *out, const uint8_t *label, size_t n)
{
	if (out->n + 1 + n > DNS_NAME_MAX)
		return -EBADMSG;
	out->bytes[out->n++] = (uint8_t)n;
	for (size_t i = 0; i < n; i++)
		out->bytes[out->n++] = lower(label[i]);
	return 0;
}

int dns_name_parse(struct str packet, size_t *at, struct dns_name *out)
{
	const uint8_t *p = (const uint8_t *)packet.p;
	size_t here = *at, limit = *at, behind = 0;
	struct dns_name name = { .n = 0 };

	for (;;) {
		if (here >= packet.n)
			return -EBADMSG;
		uint8_t n = p[here];
		if ((n & POINTER_BITS) == POINTER_BITS) {
			if (!behind)
				behind = here + 2;
			int r = follow_pointer(packet, here, &limit, &here);
			if (r < 0)
				return r;
			continue;
		}
		if (n > DNS_LABEL_MAX || packet.n - here - 1 < n)
			return -EBADMSG;
		int r = add_label(&name, p + here + 1, n);
		if (r < 0)
			return r;
		here += 1 + (size_t)n;
		if (n == 0)
			break;
	}
	*at = behind ? behind : here;
	*out = name;
	return 0;
}

/* One byte of a label, perhaps written as \DDD or \X. How many bytes of text it took, or
 * -EINVAL. */
static int take_byte(struct str text, uint8_t *out)
{
	uint64_t value;

	if (text.p[0] <= ' ' || text.p[0] > '~')
		return -EINVAL;
	*out = (uint8_t)text.p[0];
	if (text.p[0] != '\\')
		return 1;
	if (text.n < 2)
		return -EINVAL;
	if (!ascii_is_digit(text.p[1])) {
		*out = (uint8_t)text.p[1];
		return text.p[1] > ' ' && text.p[1] <= '~' ? 2 : -EINVAL;
	}
	if (text.n < 4 || str_to_u64(str_sub(text, 1, 3), 255, &value) < 0)
		return -EINVAL;
	*out = (uint8_t)value;
	return 4;
}

int dns_name_from_text(struct str text, struct dns_name *out)
{
	struct dns_name name = { .n = 0 };
	uint8_t label[DNS_LABEL_MAX];
	size_t n = 0;

	if (str_eq(text, STR(".")))
		text = STR("");
	while (text.n) {
		if (text.p[0] == '.') {
			if (n == 0 || add_label(&name, label, n) < 0)
				return -EINVAL;
			n = 0;
			text = str_skip(text, 1);
			continue;
		}
		if (n == DNS_LABEL_MAX)
			return -EINVAL;
		int taken = take_byte(text, &label[n++]);
		if (taken < 0)
			return taken;
		text = str_skip(text, (size_t)taken);
	}
	if ((n && add_label(&name, label, n) < 0) || add_label(&name, NULL, 0) < 0)
		return -EINVAL;
	*out = name;
	return 0;
}

static void put_byte(struct buf *b, uint8_t c)
{
	if (ascii_is_alnum(c) || c == '-' || c == '_' || c == '/' || c == '*')
		buf_putc(b, (char)c);
	else
		buf_printf(b, "\\%03u", c);
}

struct str dns_name_write(const struct dns_name *name, struct arena *a)
{
	struct buf b;

	buf_init(&b, a, TEXT_MAX);
	for (size_t at = 0; at < name->n && name->bytes[at];) {
		size_t end = at + 1 + name->bytes[at];
		if (at)
			buf_putc(&b, '.');
		while (++at < end)
			put_byte(&b, name->bytes[at]);
	}
	(void)buf_cstr(&b);
	return buf_str(&b);
}

bool dns_name_eq(const struct dns_name *a, const struct dns_name *b)
{
	return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

bool dns_name_is_within(const struct dns_name *name, const struct dns_name *parent)
{
	size_t at = 0;

	while (name->n - at > parent->n)
		at += 1 + (size_t)name->bytes[at];
	return name->n - at == parent->n && memcmp(name->bytes + at, parent->bytes, parent->n) == 0;
}
