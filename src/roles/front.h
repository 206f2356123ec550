/* Private to front: what its files share. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "base/arena.h"
#include "core/group.h"
#include "roles/acceptor.h"
#include "smtp/backend.h"
#include "smtp/service.h"

struct ipc_client;

#define FRONT_MAILBOXES_MAX 64

enum front_service {
	FRONT_SMTP,
	FRONT_IMAP,
	FRONT_POP3
};

/* A listening socket and what is spoken there. */
struct front_port {
	const char *name;
	enum front_service service;
	enum smtp_port smtp; /* of FRONT_SMTP */
	bool tls;	     /* from the first byte */
	bool proxied;	     /* a PROXY header comes before that */
	struct acceptor acceptor;
};

struct front {
	struct arena memory; /* of the process */
	struct str spool_path;
	struct group ipc; /* fibers that read answers */
	struct group acceptors;
	struct group clients; /* one fiber per connection */
	struct ipc_client *auth, *queue, *filter, *resolver;
	struct ipc_client *mailbox[FRONT_MAILBOXES_MAX];
	unsigned mailbox_count;
	struct smtp_throttle *throttle;
	struct smtp_backend_ctx backend;
	struct smtp_service smtp;
	struct front_port ports[16];
	unsigned port_count;
	bool draining;
};

extern struct front front;

/* A connection that was accepted. */
struct front_client {
	const struct front_port *port;
	int fd;
	char address[INET6_ADDRSTRLEN];
	char local_address[INET6_ADDRSTRLEN]; /* empty until somebody asks */
};

/* Take a listening socket by the supervisor's name for it; an unknown name is closed. */
void front_add_port(struct str name, bool proxied, int fd);

/* The address that the client connected to, as text. */
const char *front_local_address(struct front_client *c);

/* Read the header that stands before the first byte on a proxied port, and take the addresses from
 * it. A peer that must not send one, or does not, is logged and counted. 0, -EPROTO, -ECANCELED. */
int may_suspend must_check front_proxy_read(struct front_client *c);

/* One accepting fiber per port. */
int must_check front_accept_start(struct err *err);

/* Serve an IMAP or POP3 connection until it is over, here or with the mailbox
 * worker that has it. */
void may_suspend front_login_run(struct front_client *c);

/* End the connections that have not logged in. */
void front_login_drain(void);
