/* How the courier is told to work. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* How long each step of a session may take, in milliseconds (RFC 5321 4.5.3.2). */
struct courier_times {
	int64_t connect;
	int64_t greeting;
	int64_t helo; /* EHLO, HELO, LHLO, STARTTLS, AUTH */
	int64_t mail;
	int64_t rcpt;
	int64_t data;	  /* until 354 */
	int64_t block;	  /* until the server takes more of the message */
	int64_t data_end; /* until it answers for the message */
	int64_t reset;
	int64_t attempt; /* all of it */
};

struct courier_config {
	struct str fqdn; /* who we are: an MX with this name is ourselves */
	struct str helo; /* what we say in EHLO */
	uint16_t port;	 /* of servers, where the next hop does not say */
	bool ipv4, ipv6;
	struct str bind4, bind6; /* source addresses, or empty */
	struct courier_times times;

	const char *ca_file;   /* authorities (PEM) */
	bool tls_required;     /* of everybody */
	bool refuse_downgrade; /* of who had it before */
	bool relay_verify;     /* before a password is sent */
	bool dane;
	bool sts;	   /* RFC 8461 */
	uint16_t sts_port; /* of hosts with policies */
	const char *dir;   /* what is kept over a restart; NULL: nothing is */

	unsigned hosts_max;	      /* servers of a destination that are tried */
	unsigned sessions_max;	      /* ...and of these, that could be spoken to */
	unsigned recipients_max;      /* per transaction */
	unsigned cache_max;	      /* idle connections */
	int64_t cache_idle;	      /* ms */
	unsigned connection_messages; /* per connection */
};

struct settings;
struct courier_config courier_config_from_settings(const struct settings *set);
