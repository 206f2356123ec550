/* The words behind `setup config dkim`. */
#pragma once

#include <stdbool.h>

#include "setup/dkim_files.h"
#include "setup/setup.h"

/* Read the arguments from `first` on into *o, which has the defaults. SETUP_ERROR: the reason has
 * been said. */
enum setup_exit dkim_options_read(struct setup *s, unsigned first, struct dkim_options *o);

bool dkim_is_domain(struct str s);
