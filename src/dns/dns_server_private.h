/* Shared by the files of the dns service. */
#pragma once

#include "core/endpoint.h"
#include "core/fiber.h"
#include "core/group.h"
#include "dns/context.h"
#include "dns/dns_server.h"
#include "dns/local_names.h"
#include "dns/name.h"

#define FORWARDERS_MAX 16
#define ANCHORS_MAX    16

/* A resolver that is opened when it is first needed. */
struct dns_slot {
	enum {
		SLOT_CLOSED,
		SLOT_OPENING,
		SLOT_OPEN,
		SLOT_FAILED
	} state;
	struct dns_context *context;
	struct waitq opened;
	struct str trouble; /* of SLOT_FAILED */
};

struct dns_server {
	struct dns_server_config config;
	struct endpoint forwarders[FORWARDERS_MAX];
	size_t forwarder_count;
	struct dns_name anchors[ANCHORS_MAX]; /* what the trust anchors are for */
	size_t anchor_count;
	struct group fibers;   /* of contexts */
	struct dns_slot world; /* as POSTHORN_DNS says */
	struct dns_slot plain; /* the surroundings: forwarders or those of resolv.conf, no DNSSEC */
	int64_t stripped_until; /* the forwarders do not pass DNSSEC; asked again after this */
	bool heard;		/* some server of the world has answered... */
	bool silence_logged;	/* ...or it was said that none does */
	struct arena memory;
};

extern struct dns_server dns_server;

/* Open what is not open yet. 0, or negative with the reason in *out. */
int may_suspend dns_slot_get(struct dns_slot *slot, int64_t deadline, struct dns_outcome *out);

/* Ask the world: 0, or -ECANCELED. Names that cannot be are answered here, those of the
 * surroundings go to dns_ask_plain where forwarders know them. */
int may_suspend must_check dns_ask_world(struct str name, uint32_t type, struct arena *a,
					 struct dns_outcome *out);
int may_suspend must_check dns_ask_plain(struct str name, uint32_t type, struct arena *a,
					 struct dns_outcome *out);

/* Is the name one that the public DNS does not have: of one label, or below a domain that is for
 * private use? */
bool dns_name_is_private(const struct dns_name *name);

/* Both of them, for a host: answers A and AAAA as one. */
struct dns_addresses_out;
typedef int dns_ask_fn(struct str name, uint32_t type, struct arena *a, struct dns_outcome *out);
int may_suspend must_check dns_ask_addresses(dns_ask_fn *ask, struct str name, struct arena *a,
					     struct dns_addresses_out *out);

/* The same for a name that an operator wrote: /etc/hosts, search domains, the surroundings. */
int may_suspend must_check dns_find_local(struct str name, struct arena *a,
					  struct dns_addresses_out *out);
