/* A server as settings name it: 192.0.2.1, 192.0.2.1:5353, 2001:db8::1, [2001:db8::1]:5353. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct endpoint {
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
	bool v6;
};

/* Without a port it is the one given. 0 or -EINVAL: no address, no port, something behind it. */
int must_check endpoint_parse(struct str text, uint16_t port, struct endpoint *out);

/* Take the next one off a list with commas or spaces between. 1, 0 at its end, or -EINVAL: *word
 * cannot be read. */
int must_check endpoint_next(struct str *list, uint16_t port, struct endpoint *out,
			     struct str *word);
