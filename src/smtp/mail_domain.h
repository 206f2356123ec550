/* Is there a domain behind a sender, to which a report could go? */
#pragma once

#include "base/check.h"
#include "smtp/service.h"

struct ipc_client;

/* Ask the resolver for MX, A and AAAA. 0 or -ECANCELED. */
int may_suspend must_check smtp_mail_domain_find(struct ipc_client *dns, struct str domain,
						 enum smtp_domain_state *out);
