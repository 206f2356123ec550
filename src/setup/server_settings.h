/* The settings of the server, as its environment has them: `setup` runs in the same container. */
#pragma once

#include "setup/setup.h"

struct settings;

/* Read when first asked for. What the server would complain about is not said again here. */
const struct settings *server_settings(struct setup *s);
