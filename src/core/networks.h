/* IP addresses as text, and lists of networks: "192.0.2.0/24, 2001:db8::/32, 127.0.0.1". An IPv4
 * address and its form mapped into IPv6 are the same. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "base/str.h"

/* The text of 4 bytes, or of 16 for v6. IPv4 mapped into IPv6 is written as IPv4: limits and logs
 * must not see two clients. */
void address_write(bool v6, const void *bytes, char out[INET6_ADDRSTRLEN]);

/* Does one of the networks, separated by commas, hold the address? What cannot be read holds
 * none. */
bool networks_hold(struct str networks, struct str address);

/* Can each of them be read? Otherwise *wrong is the first that cannot, a part of `networks`. */
bool networks_are_valid(struct str networks, struct str *wrong);
