/* Root is needed for low ports at most, and only until they are bound. */
#pragma once

#include "base/check.h"

struct err;
struct volumes_owner;

/* When started as root, become `owner`; where that is root too, nothing changes. */
int must_check privileges_drop(const struct volumes_owner *owner, struct err *err);
