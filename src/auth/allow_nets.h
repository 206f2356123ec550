/* "allow_nets=192.0.2.0/24,2001:db8::/32,127.0.0.1": from where an account may log in. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Does one of the networks, separated by commas, hold the address? What cannot be read holds
 * none. */
bool allow_nets_match(struct str networks, struct str address);
