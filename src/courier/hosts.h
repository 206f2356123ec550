/* The hosts of a destination, one after the other, until nobody is left to deliver to. */
#pragma once

#include "base/check.h"

struct attempt;
struct courier;

void may_suspend hosts_try(struct courier *c, struct attempt *t);
