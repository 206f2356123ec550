/* The backend of production: asks the auth role and the queue role. */
#pragma once

#include "smtp/service.h"

struct ipc_client;

struct smtp_backend_ctx {
	struct ipc_client *auth, *queue, *filter, *resolver; /* borrowed */
	bool signs, checks;		   /* what users send; what strangers send */
	int64_t no_keys_until;		   /* loop time: until then nothing can be signed */
	struct ipc_client *const *mailbox; /* one for each worker, borrowed */
	unsigned workers;
};

/* Its context is a struct smtp_backend_ctx. */
extern const struct smtp_backend smtp_backend;
