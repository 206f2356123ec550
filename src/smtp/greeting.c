#include "smtp/greeting.h"

#include "core/loop.h"
#include "smtp/known.h"
#include "smtp/reply.h"
#include "smtp/report.h"
#include "smtp/session.h"
#include "smtp/throttle.h"

static struct smtp_known *known(const struct smtp_session *s)
{
	return smtp_throttle_known(s->svc->throttle);
}

static bool must_wait(const struct smtp_session *s)
{
	const struct smtp_client *c = s->client;
	return s->svc->throttle && s->settings->smtp_greet_delay > 0 && !smtp_is_submission(s) &&
	       !c->trusted && !smtp_known_has(known(s), c->address, loop_now());
}

/* False: it is to be disconnected. */
static bool handle_early_talker(struct smtp_session *s, int64_t start)
{
	struct str said = stream_peek(s->stream);
	int64_t ms = loop_now() - start;
	struct str after = arena_printf(&s->arena, "%lld.%03lld", (long long)(ms / 1000),
					(long long)(ms % 1000));
	log_event(LOG_SMTP_PREGREET, LOG_INT("bytes", (int64_t)said.n), LOG_STR("seconds", after),
		  LOG_STR("text", str_sub(said, 0, 100)));
	switch (s->settings->postscreen_action) {
	case SETTING_POSTSCREEN_ACTION_DROP:
		smtp_say(s, "521 5.5.1 Protocol error");
		return false;
	case SETTING_POSTSCREEN_ACTION_ENFORCE:
		/* The session goes on, so that sender and recipients are seen in the log. */
		s->early_talker = true;
		return true;
	default:
		return true;
	}
}

/* Half a greeting is enough for a program that does not listen. */
static bool wait_for_early_talker(struct smtp_session *s)
{
	const char *address = s->client->address;
	int64_t start = loop_now();
	smtp_say(s, "220-%" STR_FMT " ESMTP", STR_ARG(s->settings->fqdn));
	int r = stream_wait_input(s->stream, s->settings->smtp_greet_delay);
	if (r == 0) {
		smtp_known_add(known(s), address, loop_now());
		return true;
	}
	if (r > 0 && stream_peek(s->stream).n)
		return handle_early_talker(s, start);
	smtp_report_end(s, LOG_SMTP_LOST);
	return false;
}

bool smtp_greet(struct smtp_session *s)
{
	if (must_wait(s) && !wait_for_early_talker(s))
		return false;
	smtp_say(s, "220 %" STR_FMT " ESMTP", STR_ARG(s->settings->fqdn));
	return true;
}
