#include "core/proxy_header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "core/networks.h"

#define V1_START "PROXY "
#define V1_MAX	 107

#define V2_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2_HEAD	     16 /* signature, command, family, length */

/* 2.2: the low nibble of byte 13; the families with their transport in byte 14. */
enum {
	V2_LOCAL = 0x20,
	V2_PROXY = 0x21,
	V2_TCP4 = 0x11,
	V2_TCP6 = 0x21,
	V2_TLV_CRC32C = 0x03,
	V2_TLV_SSL = 0x20,
	V2_CLIENT_SSL = 0x01,
};

static unsigned read_u16(const char *p)
{
	return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static uint32_t read_u32(const char *p)
{
	return (uint32_t)read_u16(p) << 16 | read_u16(p + 2);
}

static bool parse_address(bool v6, struct str text, char out[INET6_ADDRSTRLEN])
{
	struct in6_addr bytes;
	char copy[INET6_ADDRSTRLEN];

	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(v6 ? AF_INET6 : AF_INET, copy, &bytes) != 1)
		return false;
	address_write(v6, &bytes, out);
	return true;
}

static bool parse_port(struct str text, uint16_t *out)
{
	uint64_t n;

	if (str_to_u64(text, UINT16_MAX, &n) < 0)
		return false;
	*out = (uint16_t)n;
	return true;
}

/* 2.1: "TCP4 192.0.2.1 198.51.100.7 56324 443", or "UNKNOWN" and anything. */
static bool parse_v1_line(struct str line, struct proxy_header *h)
{
	struct str word[5];

	for (size_t i = 0; i < ARRAY_LEN(word); i++) {
		str_cut(line, ' ', &word[i], &line);
		if (i == 0 && str_eq(word[0], STR("UNKNOWN"))) {
			h->local = true;
			return true;
		}
	}
	bool v6 = str_eq(word[0], STR("TCP6"));
	if (line.n || (!v6 && !str_eq(word[0], STR("TCP4"))))
		return false;
	return parse_address(v6, word[1], h->source) &&
	       parse_address(v6, word[2], h->destination) && parse_port(word[3], &h->source_port) &&
	       parse_port(word[4], &h->destination_port);
}

static int parse_v1(struct str bytes, struct proxy_header *h)
{
	ssize_t end = str_find(str_sub(bytes, 0, V1_MAX), STR("\r\n"));

	if (end < 0)
		return bytes.n < V1_MAX ? 0 : -EBADMSG;
	struct str line = str_sub(bytes, 0, (size_t)end);
	if (!parse_v1_line(str_skip(line, strlen(V1_START)), h))
		return -EBADMSG;
	return (int)end + 2;
}

/* 2.2.3: over the whole header, with these four bytes taken as zeros. */
static bool crc_fits(struct str header, struct str value)
{
	static const char zeros[4];

	if (value.n != 4)
		return false;
	size_t before = (size_t)(value.p - header.p);
	uint32_t crc = crc32c(0, header.p, before);
	crc = crc32c(crc, zeros, sizeof(zeros));
	crc = crc32c(crc, value.p + 4, header.n - before - 4);
	return crc == read_u32(value.p);
}

/* 2.2: type, length, value. Types that we do not know are skipped. */
static bool parse_tlvs(struct str header, struct str tlvs, struct proxy_header *h)
{
	while (tlvs.n) {
		if (tlvs.n < 3 || read_u16(tlvs.p + 1) > tlvs.n - 3)
			return false;
		struct str value = str_of(tlvs.p + 3, read_u16(tlvs.p + 1));
		int type = (unsigned char)tlvs.p[0];
		if (type == V2_TLV_CRC32C && !crc_fits(header, value))
			return false;
		if (type == V2_TLV_SSL && value.n > 0)
			h->tls = value.p[0] & V2_CLIENT_SSL;
		tlvs = str_skip(tlvs, 3 + value.n);
	}
	return true;
}

static bool parse_v2_addresses(struct str header, struct proxy_header *h)
{
	int family = (unsigned char)header.p[13];
	size_t size = family == V2_TCP6 ? 16 : 4;
	struct str rest = str_skip(header, V2_HEAD);

	if (family != V2_TCP4 && family != V2_TCP6) {
		/* 2.2: a connection that is not TCP over IP has no address that we could use. */
		h->local = true;
		return true;
	}
	if (rest.n < 2 * size + 4)
		return false;
	address_write(family == V2_TCP6, rest.p, h->source);
	address_write(family == V2_TCP6, rest.p + size, h->destination);
	h->source_port = (uint16_t)read_u16(rest.p + 2 * size);
	h->destination_port = (uint16_t)read_u16(rest.p + 2 * size + 2);
	return parse_tlvs(header, str_skip(rest, 2 * size + 4), h);
}

static int parse_v2(struct str bytes, struct proxy_header *h)
{
	if (bytes.n < V2_HEAD)
		return 0;
	size_t length = V2_HEAD + read_u16(bytes.p + 14);
	int command = (unsigned char)bytes.p[12];
	if (length > PROXY_HEADER_MAX || (command != V2_LOCAL && command != V2_PROXY))
		return -EBADMSG;
	if (bytes.n < length)
		return 0;
	if (command == V2_LOCAL)
		h->local = true;
	else if (!parse_v2_addresses(str_sub(bytes, 0, length), h))
		return -EBADMSG;
	return (int)length;
}

static bool may_begin(struct str bytes, struct str start)
{
	size_t n = bytes.n < start.n ? bytes.n : start.n;

	return memcmp(bytes.p, start.p, n) == 0;
}

int proxy_header_parse(struct str bytes, struct proxy_header *out)
{
	static const struct str v1 = STR_INIT(V1_START);
	static const struct str v2 = { V2_SIGNATURE, sizeof(V2_SIGNATURE) - 1 };
	struct proxy_header h = { 0 };
	int n;

	if (bytes.n == 0)
		return 0;
	if (may_begin(bytes, v1))
		n = bytes.n < v1.n ? 0 : parse_v1(bytes, &h);
	else if (may_begin(bytes, v2))
		n = bytes.n < v2.n ? 0 : parse_v2(bytes, &h);
	else
		n = -EBADMSG;
	if (n > 0)
		*out = h;
	return n;
}
