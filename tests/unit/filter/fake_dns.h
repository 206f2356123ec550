/* A DNS as text, for the checks: lines of NAME TYPE DATA, where the name of a PTR is an address,
 * and data of "!" means that the question is not answered. */
#pragma once

#include "filter/lookup.h"

struct fake_dns {
	struct str zone;
	unsigned questions;
};

struct lookup fake_dns_lookup(struct fake_dns *dns);

/* 4 or 16 bytes of an address. */
struct str fake_dns_address(struct str text, struct arena *a);
