/* How this host finds names of its surroundings: /etc/hosts and /etc/resolv.conf. */
#pragma once

#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "core/endpoint.h"
#include "dns/dns_ipc.h"

struct arena;

/* As resolv.conf(5) has it, and no more than that: lines that say something else are skipped. */
#define RESOLV_SERVERS_MAX 3
#define RESOLV_SEARCH_MAX  6
#define RESOLV_NDOTS_MAX   15
#define RESOLV_FILE_MAX	   (64 * 1024)

struct resolv_conf {
	struct endpoint servers[RESOLV_SERVERS_MAX];
	size_t server_count;
	struct str search[RESOLV_SEARCH_MAX];
	size_t search_count;
	unsigned ndots;
};

/* Strings point into the text. */
void resolv_conf_parse(struct str text, struct resolv_conf *out);

/* The addresses that the lines of a hosts(5) file give a name; at most HOSTS_ADDRESSES_MAX, which
 * live in `a`. Returns how many. */
#define HOSTS_ADDRESSES_MAX 32
#define HOSTS_FILE_MAX	    (4 * 1024 * 1024)
size_t hosts_find(struct str text, struct str name, struct arena *a, struct dns_address **out);

/* An IP address, perhaps in brackets: its bytes in `a`, 4 or 16, else none. */
struct str address_bytes(struct str text, struct arena *a);
