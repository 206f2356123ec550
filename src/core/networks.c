#include "core/networks.h"

#include <arpa/inet.h>
#include <string.h>

/* An address as 16 bytes; IPv4 as the mapped range of IPv6, so that both forms of one are the
 * same. */
#define NET_BITS 128
#define V4_BITS	 96

void address_write(bool v6, const void *bytes, char out[INET6_ADDRSTRLEN])
{
	const struct in6_addr *a = bytes;

	if (v6 && IN6_IS_ADDR_V4MAPPED(a))
		inet_ntop(AF_INET, &a->s6_addr[12], out, INET6_ADDRSTRLEN);
	else
		inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, out, INET6_ADDRSTRLEN);
}

static bool parse_address(struct str text, unsigned char out[16], unsigned *prefix_bits)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char copy[INET6_ADDRSTRLEN];

	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*prefix_bits = 0;
	if (inet_pton(AF_INET6, copy, out) == 1)
		return true;
	memcpy(out, mapped, sizeof(mapped));
	*prefix_bits = V4_BITS;
	return inet_pton(AF_INET, copy, out + sizeof(mapped)) == 1;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	unsigned rest = bits % 8;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

static bool parse_network(struct str network, unsigned char out[16], unsigned *length)
{
	struct str base, bits;
	unsigned before;
	uint64_t prefix;

	bool has_prefix = str_cut(network, '/', &base, &bits);
	if (!parse_address(base, out, &before))
		return false;
	if (!has_prefix)
		prefix = NET_BITS - before;
	else if (str_to_u64(bits, NET_BITS - before, &prefix) < 0)
		return false;
	*length = before + (unsigned)prefix;
	return true;
}

static bool network_holds(struct str network, const unsigned char address[16])
{
	unsigned char net[16];
	unsigned length;

	return parse_network(network, net, &length) && same_bits(net, address, length);
}

bool networks_hold(struct str networks, struct str address)
{
	unsigned char bytes[16];
	unsigned before;
	struct str network;

	if (!parse_address(address, bytes, &before))
		return false;
	while (networks.n) {
		str_cut(networks, ',', &network, &networks);
		if (network_holds(str_trim(network), bytes))
			return true;
	}
	return false;
}

bool networks_are_valid(struct str networks, struct str *wrong)
{
	unsigned char net[16];
	unsigned length;
	struct str network;

	while (networks.n) {
		str_cut(networks, ',', &network, &networks);
		if (!parse_network(str_trim(network), net, &length)) {
			*wrong = str_trim(network);
			return false;
		}
	}
	return true;
}
