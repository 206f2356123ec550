/* The backend of production: asks the auth role and the queue role. */
#pragma once

#include "smtp/service.h"

struct ipc_client;

struct smtp_backend_ctx {
	struct ipc_client *auth, *queue; /* borrowed */
};

void smtp_backend_init(struct smtp_backend_ctx *b, struct ipc_client *auth,
		       struct ipc_client *queue);

/* Its context is a struct smtp_backend_ctx. */
extern const struct smtp_backend smtp_backend;
