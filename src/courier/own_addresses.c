#include "courier/own_addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "core/networks.h"

#define OWN_ADDRESSES_MAX 256

static struct {
	struct {
		size_t n;
		unsigned char bytes[16];
	} v[OWN_ADDRESSES_MAX];
	size_t count;
	uint16_t port;
	struct str others;
} own;

static void add(const void *bytes, size_t n)
{
	if (own.count == OWN_ADDRESSES_MAX)
		return;
	own.v[own.count].n = n;
	memcpy(own.v[own.count++].bytes, bytes, n);
}

int own_addresses_load(uint16_t port, struct str others, struct err *err)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return err_sys(err, "addresses of this machine");
	own.count = 0;
	own.port = port;
	own.others = others;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			add(&((const struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
		else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6)
			add(&((const struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
	}
	freeifaddrs(all);
	return 0;
}

bool own_addresses_has(struct str address, uint16_t port)
{
	static const unsigned char any[16] = { 0 };

	if (port != own.port)
		return false;
	/* RFC 1122 3.2.1.3: "this host". */
	if (address.n <= 16 && memcmp(address.p, any, address.n) == 0)
		return true;
	for (size_t i = 0; i < own.count; i++)
		if (own.v[i].n == address.n && memcmp(own.v[i].bytes, address.p, address.n) == 0)
			return true;
	if (!own.others.n)
		return false;
	char text[INET6_ADDRSTRLEN];
	address_write(address.n == 16, address.p, text);
	return networks_hold(own.others, str_from(text));
}
