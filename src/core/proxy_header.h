/* The header of the PROXY protocol, versions 1 and 2: what a proxy says of its client before the
 * client's first byte. The format is HAProxy's doc/proxy-protocol.txt; clauses refer to it. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Version 1 has at most 107 bytes (2.1). Version 2 could have 64 KiB; the specification lets
 * receivers stop at 536 (2), which no proxy exceeds without being told to. */
#define PROXY_HEADER_MAX 1024

struct proxy_header {
	bool local; /* the proxy speaks for itself (a health check), or does not know for whom */
	bool tls;   /* the client spoke TLS with the proxy (2.2.6) */
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN]; /* unless local */
	uint16_t source_port, destination_port;
};

/* The header at the start of `bytes`: its length, or 0 when more bytes are needed to say, or
 * -EBADMSG when this is none. *out is written when there is one. */
int proxy_header_parse(struct str bytes, struct proxy_header *out);
