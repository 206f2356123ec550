/* Root is needed for low ports at most, and only until they are bound. */
#pragma once

#include "base/check.h"

struct err;

/* When started as root, become the owner of `dir`: everything below /var/mail stays his. Where root
 * owns it we stay root, with a warning. */
int must_check privileges_drop(const char *dir, struct err *err);
