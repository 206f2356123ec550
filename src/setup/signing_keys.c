#include "setup/signing_keys.h"

#include "core/settings.h"
#include "filter/signing.h"
#include "setup/message.h"
#include "setup/server_settings.h"

static struct setup *complaining;

static void complain(const char *file, unsigned line, const char *text)
{
	if (line)
		message(complaining, MESSAGE_WARN, "%s, line %u: %s", file, line, text);
	else
		message(complaining, MESSAGE_WARN, "%s: %s", file, text);
}

struct signing *signing_keys_load(struct setup *s)
{
	const struct settings *set = server_settings(s);
	const struct signing_source source = {
		.config_dir = s->config_dir,
		.opendkim = set->enable_opendkim,
		.rspamd = set->enable_rspamd,
		.problem = complain,
	};

	complaining = s;
	return signing_load(&source);
}
