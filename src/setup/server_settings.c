#include "setup/server_settings.h"

#include <unistd.h>

#include "base/err.h"
#include "core/settings.h"

const struct settings *server_settings(struct setup *s)
{
	static struct settings settings;
	static bool loaded;
	struct err ignored;

	if (!loaded) {
		(void)!settings_load((const char *const *)environ, NULL, &s->arena, &settings,
				     &ignored);
		settings_use(&settings);
		loaded = true;
	}
	return &settings;
}
