#include "dns/rdata.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dns/name.h"

static uint16_t u16_at(struct str s, size_t at)
{
	return (uint16_t)((uint8_t)s.p[at] << 8 | (uint8_t)s.p[at + 1]);
}

/* The name that fills the RDATA from `from` to its end. A pointer in it could only lead to the
 * numbers before it: the name is parsed by itself, so that there is nothing to lead to. */
static int parse_name(struct str rdata, size_t from, struct arena *a, struct str *out)
{
	struct str rest = str_skip(rdata, from);
	struct dns_name name;
	size_t at = 0;

	if (dns_name_parse(rest, &at, &name) < 0 || at != rest.n)
		return -EBADMSG;
	*out = dns_name_write(&name, a);
	return 0;
}

int dns_mx_parse(struct str rdata, struct arena *a, struct dns_mx *out)
{
	struct dns_mx mx;

	if (rdata.n < 2 || parse_name(rdata, 2, a, &mx.host) < 0)
		return -EBADMSG;
	mx.preference = u16_at(rdata, 0);
	*out = mx;
	return 0;
}

int dns_srv_parse(struct str rdata, struct arena *a, struct dns_srv *out)
{
	struct dns_srv srv;

	if (rdata.n < 6 || parse_name(rdata, 6, a, &srv.target) < 0)
		return -EBADMSG;
	srv.priority = u16_at(rdata, 0);
	srv.weight = u16_at(rdata, 2);
	srv.port = u16_at(rdata, 4);
	*out = srv;
	return 0;
}

int dns_tlsa_parse(struct str rdata, struct dns_tlsa *out)
{
	if (rdata.n < 3)
		return -EBADMSG;
	*out = (struct dns_tlsa){
		.usage = (uint8_t)rdata.p[0],
		.selector = (uint8_t)rdata.p[1],
		.matching = (uint8_t)rdata.p[2],
		.data = str_skip(rdata, 3),
	};
	return 0;
}

int dns_caa_parse(struct str rdata, struct dns_caa *out)
{
	if (rdata.n < 2)
		return -EBADMSG;
	size_t tag = (uint8_t)rdata.p[1];
	if (tag == 0 || rdata.n - 2 < tag)
		return -EBADMSG;
	*out = (struct dns_caa){
		.flags = (uint8_t)rdata.p[0],
		.tag = str_sub(rdata, 2, tag),
		.value = str_skip(rdata, 2 + tag),
	};
	return 0;
}

int dns_txt_parse(struct str rdata, struct arena *a, struct str *out)
{
	struct buf b;

	if (rdata.n == 0)
		return -EBADMSG;
	buf_init(&b, a, rdata.n);
	while (rdata.n) {
		size_t n = (uint8_t)rdata.p[0];
		if (rdata.n - 1 < n)
			return -EBADMSG;
		buf_put(&b, rdata.p + 1, n);
		rdata = str_skip(rdata, 1 + n);
	}
	(void)buf_cstr(&b);
	*out = buf_str(&b);
	return 0;
}

int dns_target_parse(struct str rdata, struct arena *a, struct str *out)
{
	return parse_name(rdata, 0, a, out);
}
