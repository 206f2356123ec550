/* The next hop of a recipient, as a word that the courier understands: "example.org" (its MX),
 * "[host]", with ":port" behind and "lmtp:" before, or "lmtp:unix:/path". Knows neither files nor
 * DNS. */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct arena;
struct envelope_recipient;
struct err;

#define ROUTE_MAX 512

struct route_config {
	struct str relay; /* for whatever nothing else is said of; empty: the recipient's domain */
	struct str agent; /* for mailboxes; empty: the mailbox workers */
};

/* What an operator writes for a next hop, in Postfix's notation ("lmtp:inet:host:24" and
 * "lmtp:unix:private/lmtp" too), to the one form that each destination has. In `a`; -EINVAL with
 * the reason. */
int must_check route_parse(struct str text, struct arena *a, struct str *nexthop, struct err *err);

/* The next hop of a recipient that is not delivered here. `sender_relay`: what is special about
 * the sender, in the form of route_parse, or empty. In `a`. */
struct str route_find(const struct route_config *c, struct str sender_relay,
		      const struct envelope_recipient *r, struct arena *a);
