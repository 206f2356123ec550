/* The addresses of this machine: mail that would be sent there comes back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct err;

/* Read them; `port` is where we take mail, `others` names addresses that lead here from outside
 * (networks, which were checked; it lives on). Before the sandbox closes. */
int must_check own_addresses_load(uint16_t port, struct str others, struct err *err);

/* 4 or 16 bytes. */
bool own_addresses_has(struct str address, uint16_t port);
