/* Connections to the addresses of a host, as fast as the fastest of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/str.h"

struct courier_config;
struct err;

#define ENDPOINT_TEXT_MAX 108 /* an address, or the path of a socket */

struct endpoint {
	struct sockaddr_storage address;
	socklen_t size;
	bool tried;
	char text[ENDPOINT_TEXT_MAX];
};

/* 4 or 16 bytes. */
void endpoint_set_ip(struct endpoint *e, struct str bytes, uint16_t port);
void endpoint_set_path(struct endpoint *e, const char *path);

/* IPv6 and IPv4 in turns, beginning with IPv6, else in the order they have (RFC 8305 4). */
void endpoints_sort(struct endpoint *list, size_t n);

/* Connect to one that was not tried: they are begun one after the other, a little apart, and the
 * first that answers wins (RFC 8305 5). Which one it was, with the connection in *fd; all that
 * failed, and the winner, have been tried then. -ENOENT: there is none left; -errno of the last
 * failure. */
int may_suspend must_check endpoints_connect(const struct courier_config *config,
					     struct endpoint *list, size_t n, int *fd,
					     struct err *err);
