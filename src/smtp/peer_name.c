#include "smtp/peer_name.h"

#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "smtp/policy.h"
#include "smtp/session.h"

static void find(void *arg)
{
	struct smtp_session *s = arg;
	auto_arena struct arena a = ARENA_INIT;
	const char *address = s->client->address;
	struct smtp_peer_name found;

	int64_t limit = fiber_limit_begin(loop_deadline(s->settings->smtp_name_timeout));
	int r = s->svc->backend->find_name(s->svc->ctx, address, &a, &found);
	fiber_limit_end(limit);
	if (r < 0)
		return;
	s->name.result = found.result;
	if (found.result != FILTER_IPREV_PASS)
		return;
	s->name.name = arena_str(&s->arena, found.name);
	s->client_name = arena_cstr(&s->arena, found.name);
	s->peer = arena_printf(&s->arena, "%s[%s]", s->client_name, address).p;
	log_context_set(s->log, LOG_CSTR("client", s->peer));
}

void smtp_peer_name_begin(struct smtp_session *s)
{
	if (!s->svc->backend->find_name || s->client->port == SMTP_PORT_LOCAL ||
	    smtp_is_loopback(s->client->address))
		return;
	s->name.result = FILTER_IPREV_TEMPERROR;
	(void)!fiber_spawn(&s->lookups, "client name", find, s);
}

void smtp_peer_name_wait(struct smtp_session *s)
{
	(void)!group_join(&s->lookups, LOOP_FOREVER);
}
