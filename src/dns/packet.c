#include "dns/packet.h"

#include <errno.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dns/name.h"

#define HEADER_SIZE 12
#define RR_FIXED    10 /* type, class, TTL, length */
#define ALIASES_MAX 16
#define CLASS_IN    1

enum {
	TYPE_NS = 2,
	TYPE_SOA = 6,
	TYPE_DNAME = 39
};
enum {
	RCODE_NOERROR = 0,
	RCODE_NXDOMAIN = 3
};

struct message {
	struct str bytes;
	unsigned rcode, answers, authorities;
	struct dns_name question;
	size_t answers_at;
};

struct rr {
	struct dns_name owner;
	uint32_t type, class_, ttl;
	size_t data, n;
};

static uint32_t u16_at(struct str s, size_t at)
{
	return (uint32_t)(uint8_t)s.p[at] << 8 | (uint8_t)s.p[at + 1];
}

static uint32_t u32_at(struct str s, size_t at)
{
	return u16_at(s, at) << 16 | u16_at(s, at + 2);
}

static int parse_header(struct str bytes, struct message *m)
{
	size_t at = HEADER_SIZE;

	if (bytes.n < HEADER_SIZE || u16_at(bytes, 4) != 1)
		return -EBADMSG;
	m->bytes = bytes;
	m->rcode = u16_at(bytes, 2) & 15;
	m->answers = u16_at(bytes, 6);
	m->authorities = u16_at(bytes, 8);
	if (dns_name_parse(bytes, &at, &m->question) < 0 || bytes.n - at < 4)
		return -EBADMSG;
	m->answers_at = at + 4;
	return 0;
}

static int parse_rr(struct str bytes, size_t *at, struct rr *out)
{
	if (dns_name_parse(bytes, at, &out->owner) < 0 || bytes.n - *at < RR_FIXED)
		return -EBADMSG;
	out->type = u16_at(bytes, *at);
	out->class_ = u16_at(bytes, *at + 2);
	out->ttl = u32_at(bytes, *at + 4);
	out->n = u16_at(bytes, *at + 8);
	out->data = *at + RR_FIXED;
	if (out->ttl > INT32_MAX) /* RFC 2181 8 */
		out->ttl = 0;
	if (bytes.n - out->data < out->n)
		return -EBADMSG;
	*at = out->data + out->n;
	return 0;
}

static void shorten(uint32_t *ttl, uint32_t to)
{
	if (to < *ttl)
		*ttl = to;
}

/* One step along an alias of `name`: 1 when there was one, 0, or -EBADMSG. */
static int follow_alias(const struct message *m, struct dns_name *name, uint32_t *ttl)
{
	size_t at = m->answers_at;

	for (unsigned i = 0; i < m->answers; i++) {
		struct rr rr;
		if (parse_rr(m->bytes, &at, &rr) < 0)
			return -EBADMSG;
		if (rr.type != DNS_CNAME || !dns_name_eq(&rr.owner, name))
			continue;
		size_t data = rr.data;
		if (dns_name_parse(m->bytes, &data, name) < 0 || data != rr.data + rr.n)
			return -EBADMSG;
		shorten(ttl, rr.ttl);
		return 1;
	}
	return 0;
}

static int follow_aliases(const struct message *m, struct dns_name *name, uint32_t *ttl)
{
	for (unsigned i = 0; i < ALIASES_MAX; i++) {
		int r = follow_alias(m, name, ttl);
		if (r <= 0)
			return r;
	}
	return -EBADMSG;
}

/* How many bytes stand before the name in RDATA whose name may be compressed (RFC 3597 4, and what
 * older servers do); -1 where there is none. */
static int name_offset(uint32_t type)
{
	switch (type) {
	case TYPE_NS:
	case DNS_CNAME:
	case DNS_PTR:
	case TYPE_DNAME:
		return 0;
	case DNS_MX:
		return 2;
	case DNS_SRV:
		return 6;
	default:
		return -1;
	}
}

/* The RDATA with a name that needs nothing outside. */
static int copy_rdata(const struct message *m, const struct rr *rr, struct arena *a,
		      struct str *out)
{
	int offset = name_offset(rr->type);
	struct str data = str_sub(m->bytes, rr->data, rr->n);
	struct dns_name name;
	struct buf b;

	if (offset < 0) {
		*out = arena_str(a, data);
		return 0;
	}
	size_t at = rr->data + (size_t)offset;
	if (rr->n < (size_t)offset || dns_name_parse(m->bytes, &at, &name) < 0 ||
	    at != rr->data + rr->n)
		return -EBADMSG;
	buf_init(&b, a, (size_t)offset + name.n);
	buf_put(&b, data.p, (size_t)offset);
	buf_put(&b, name.bytes, name.n);
	*out = buf_str(&b);
	return 0;
}

static int collect(const struct message *m, const struct dns_name *name, uint32_t type,
		   struct arena *a, struct dns_reply *out)
{
	size_t at = m->answers_at, bytes = 0;
	struct rr rr;

	out->records = ARENA_NEW_ARRAY(a, struct dns_record,
				       m->answers < DNS_RECORDS_MAX ? m->answers : DNS_RECORDS_MAX);
	for (unsigned i = 0; i < m->answers; i++) {
		if (parse_rr(m->bytes, &at, &rr) < 0)
			return -EBADMSG;
		if (rr.type != type || rr.class_ != CLASS_IN || !dns_name_eq(&rr.owner, name))
			continue;
		if (out->count == DNS_RECORDS_MAX)
			return -E2BIG;
		struct str *data = &out->records[out->count++].data;
		if (copy_rdata(m, &rr, a, data) < 0)
			return -EBADMSG;
		bytes += data->n;
		if (bytes > DNS_RECORD_BYTES_MAX)
			return -E2BIG;
		shorten(&out->ttl, rr.ttl);
	}
	return 0;
}

/* RFC 2308 5: that there is nothing holds for the SOA's TTL, or its last field if that is less. */
static int find_negative_ttl(const struct message *m, uint32_t *ttl)
{
	size_t at = m->answers_at;
	struct rr rr;

	for (unsigned i = 0; i < m->answers + m->authorities; i++) {
		if (parse_rr(m->bytes, &at, &rr) < 0)
			return -EBADMSG;
		if (i < m->answers || rr.type != TYPE_SOA || rr.n < 4)
			continue;
		shorten(ttl, rr.ttl);
		shorten(ttl, u32_at(m->bytes, rr.data + rr.n - 4));
		return 0;
	}
	*ttl = 0;
	return 0;
}

int dns_packet_parse(struct str packet, uint32_t type, struct arena *a, struct dns_reply *out)
{
	struct dns_reply reply = { .ttl = INT32_MAX };
	struct message m;

	int r = parse_header(packet, &m);
	if (r < 0)
		return r;
	if (m.rcode != RCODE_NOERROR && m.rcode != RCODE_NXDOMAIN)
		return -EBADMSG;
	struct dns_name name = m.question;
	if (type != DNS_CNAME)
		r = follow_aliases(&m, &name, &reply.ttl);
	if (r == 0)
		r = collect(&m, &name, type, a, &reply);
	if (r == 0 && reply.count == 0)
		r = find_negative_ttl(&m, &reply.ttl);
	if (r < 0)
		return r;
	reply.name = dns_name_write(&name, a);
	reply.status = reply.count		   ? DNS_FOUND
		       : m.rcode == RCODE_NXDOMAIN ? DNS_NXDOMAIN
						   : DNS_NODATA;
	*out = reply;
	return 0;
}
