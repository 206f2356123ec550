/* From a next hop to the hosts that take its mail (RFC 5321 5.1). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "courier/connect.h"
#include "courier/nexthop.h"

struct arena;
struct courier_config;
struct ipc_client;
struct verdict;

struct mx_host {
	char name[NEXTHOP_HOST_MAX + 1];
	uint16_t preference;
	uint64_t order; /* among those of equal preference: random */
	bool resolved;	/* the rest is known */
	bool secure;	/* DNSSEC proves the addresses */
	bool is_self;
	char canonical[NEXTHOP_HOST_MAX + 1]; /* where aliases led, or the name */
	struct endpoint *endpoints;
	size_t endpoint_count;
	struct verdict *why; /* there are no endpoints */
};

struct mx_list {
	bool mx;     /* the hosts come from MX records, or are the domain itself without any */
	bool secure; /* DNSSEC proves which hosts they are */
	struct mx_host *hosts; /* best first */
	size_t count;
};

struct mx_source {
	const struct courier_config *config;
	struct ipc_client *dns;
	struct arena *arena;
	uint16_t port;
	bool by_operator; /* a host that an operator named: /etc/hosts counts */
};

/* 0; -EHOSTUNREACH with the reason in *v when there are none, or none now. We are not among them,
 * by name, and neither is one that is no better than us. */
int may_suspend must_check mx_find(const struct mx_source *src, const struct nexthop *n,
				   struct mx_list *out, struct verdict *v);

/* Fill in the addresses of the host at `i` and of all that share its preference. False when we are
 * one of them by address: then neither it nor any behind it may be asked. */
bool may_suspend mx_resolve(const struct mx_source *src, struct mx_list *list, size_t i);

/* The records of an answer as hosts, sorted; pure. How many; -ENOENT for the null MX (RFC 7505),
 * -EBADMSG when none can be used. */
struct dns_mx;
int must_check mx_sort(const struct dns_mx *records, size_t n, struct mx_host *hosts, size_t max);

/* Take out the host `self` and all that are no better. How many are left. */
size_t mx_without(const struct mx_host *hosts, size_t n, struct str self);
