/* The keys that the server signs with, from the same tables. */
#pragma once

#include "setup/setup.h"

struct signing;

/* What cannot be used is said as a warning. signing_unref when done. */
struct signing *signing_keys_load(struct setup *s);
