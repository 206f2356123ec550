/* Lists of networks: "192.0.2.0/24, 2001:db8::/32, 127.0.0.1". An IPv4 address and its form mapped
 * into IPv6 are the same. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Does one of the networks, separated by commas, hold the address? What cannot be read holds
 * none. */
bool networks_hold(struct str networks, struct str address);

/* Can each of them be read? Otherwise *wrong is the first that cannot, a part of `networks`. */
bool networks_are_valid(struct str networks, struct str *wrong);
