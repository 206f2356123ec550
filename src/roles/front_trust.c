#include "roles/front_trust.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/networks.h"
#include "core/settings.h"

/* Of `host`: what docker-mailserver takes for the network of the machine's address. */
#define HOST_PREFIX 16

static struct arena memory;
static struct str trusted;

static unsigned prefix_of(const struct ifaddrs *i)
{
	const struct sockaddr_in *mask = (const void *)i->ifa_netmask;

	return mask ? (unsigned)__builtin_popcount(mask->sin_addr.s_addr) : 32;
}

static void put_network(struct buf *b, const struct ifaddrs *i, unsigned prefix)
{
	const struct sockaddr_in *a = (const void *)i->ifa_addr;
	char text[INET6_ADDRSTRLEN];

	address_write(false, &a->sin_addr, text);
	buf_printf(b, ",%s/%u", text, prefix);
}

static void put_own(struct buf *b, enum setting_permit permit)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET)
			continue;
		put_network(b, i, 32);
		if (permit == SETTING_PERMIT_HOST)
			put_network(b, i, HOST_PREFIX);
		else if (permit == SETTING_PERMIT_CONNECTED_NETWORKS)
			put_network(b, i, prefix_of(i));
	}
	freeifaddrs(all);
}

void front_trust_prepare(void)
{
	const struct settings *set = settings_get();
	struct buf b;

	buf_init(&b, &memory, 1 << 16);
	buf_put_str(&b, set->trusted_networks);
	if (set->permit != SETTING_PERMIT_NONE) {
		buf_puts(&b, ",127.0.0.0/8,::1/128,fe80::/64");
		put_own(&b, set->permit);
	}
	if (set->permit == SETTING_PERMIT_NETWORK)
		buf_puts(&b, ",172.16.0.0/12");
	trusted = buf_str(&b);
}

bool front_trusts(const char *address)
{
	return trusted.n && networks_hold(trusted, str_from(address));
}
