/* AUTH (RFC 4954), from the client's side. */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct client;
struct verdict;

/* Log in with the best mechanism that is offered. 0, also when the server has no AUTH at all: then
 * it does not want to know; -EXXX with what it means in *v. */
int may_suspend must_check login(struct client *c, struct str user, struct str password,
				 struct verdict *v);
