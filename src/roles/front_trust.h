/* Whose mail is relayed without a login: PERMIT_DOCKER and POSTHORN_TRUSTED_NETWORKS. */
#pragma once

#include <stdbool.h>

/* Learn the addresses of this machine. */
void front_trust_prepare(void);

/* Is an address, as text, in a network that is trusted? */
bool front_trusts(const char *address);
