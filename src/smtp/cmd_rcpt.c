#include <errno.h>

#include "base/err.h"
#include "smtp/policy.h"
#include "smtp/reply.h"
#include "smtp/report.h"
#include "smtp/session.h"

static bool parse(struct smtp_session *s, struct str arg, struct smtp_path *path,
		  struct smtp_rcpt_params *params)
{
	int r = smtp_path_parse(&arg, &s->tx_arena, path);
	if (r < 0 || path->address.n == 0) {
		smtp_reply(s, r == -EMSGSIZE ? "501 5.1.3 Bad recipient address syntax: too long"
					     : "501 5.1.3 Bad recipient address syntax");
		return false;
	}
	const char *refusal = smtp_rcpt_params_parse(arg, smtp_extensions(s), &s->tx_arena, params);
	if (refusal) {
		smtp_reply(s, "%s", refusal);
		return false;
	}
	if (path->utf8 && !(s->tx->params.flags & ENVELOPE_SMTPUTF8)) {
		smtp_reply(s, "553 5.6.7 Error: non-ASCII address needs SMTPUTF8");
		return false;
	}
	/* Names without a domain are this host's: postmaster (RFC 5321 4.5.1), root. */
	if (!path->domain.n)
		smtp_path_qualify(path, s->settings->fqdn, &s->tx_arena);
	return true;
}

/* Where it goes. False: cannot be said now, replied. */
static bool resolve(struct smtp_session *s, struct str address, struct smtp_resolution *res)
{
	struct smtp_question q = { address, s->tx->sender.address, s->login };
	struct err err = { 0 };
	int r = s->svc->backend->resolve(s->svc->ctx, &q, &s->tx_arena, res, &err);
	if (r < 0) {
		smtp_report_trouble(s, &err);
		smtp_refuse(s, address, "451 4.3.0 <%" STR_FMT ">: Temporary lookup failure",
			    STR_ARG(address));
	}
	return r >= 0;
}

/* What envelope_check allows for the recipients. */
#define ENVELOPE_BYTES_MAX ((size_t)ENVELOPE_SIZE_MAX - 65536)
#define TARGET_BYTES	   32 /* lengths and numbers */

static size_t envelope_bytes(const struct smtp_rcpt *rcpt, struct str address)
{
	size_t n = 0;
	for (size_t i = 0; i < rcpt->target_count; i++)
		n += rcpt->targets[i].address.n + rcpt->targets[i].account.n + address.n +
		     rcpt->params.orcpt.n + TARGET_BYTES;
	return n;
}

static void add(struct smtp_tx *tx, struct arena *a, const struct smtp_path *path,
		const struct smtp_rcpt *values)
{
	struct smtp_rcpt *rcpt = ARENA_NEW(a, struct smtp_rcpt);
	*rcpt = *values;
	rcpt->address = path->address;
	list_append(&tx->rcpts, &rcpt->item);
	tx->rcpt_count++;
	tx->target_count += rcpt->target_count;
	tx->envelope_bytes += envelope_bytes(rcpt, path->address);
}

static bool is_full(const struct smtp_session *s, const struct smtp_rcpt *more, struct str address)
{
	const struct smtp_tx *tx = s->tx;
	return tx->rcpt_count >= (size_t)s->settings->smtp_recipients_max ||
	       tx->target_count + more->target_count > ENVELOPE_RECIPIENTS_MAX ||
	       tx->envelope_bytes + envelope_bytes(more, address) > ENVELOPE_BYTES_MAX;
}

/* A client that sends a list in one go is told about every one of them, but has made one
 * mistake. */
static void refuse_excess(struct smtp_session *s, struct str address)
{
	static const char reply[] = "452 4.5.3 Error: too many recipients";
	if (s->tx->overfull)
		smtp_say(s, reply);
	else
		smtp_refuse(s, address, reply);
	s->tx->overfull = true;
}

static void take_recipient(struct smtp_session *s, struct str arg)
{
	struct smtp_path path;
	struct smtp_resolution res = { 0 };
	struct smtp_rcpt rcpt = { 0 };

	s->tx->rcpts_tried++;
	if (!parse(s, arg, &path, &rcpt.params))
		return;
	if (s->early_talker) {
		smtp_refuse(s, path.address, "550 5.5.1 Protocol error");
		return;
	}
	if (!is_full(s, &rcpt, path.address)) {
		if (!resolve(s, path.address, &res) || !smtp_policy_check(s, path.address, &res))
			return;
		rcpt.targets = res.targets;
		rcpt.target_count = res.count;
	}
	if (is_full(s, &rcpt, path.address)) {
		/* RFC 5321 4.5.3.1.10: the client sends the rest in another transaction. */
		refuse_excess(s, path.address);
		return;
	}
	add(s->tx, &s->tx_arena, &path, &rcpt);
	smtp_reply(s, "250 2.1.5 Ok");
}

void cmd_rcpt(struct smtp_session *s, struct str arg)
{
	if (!s->tx)
		smtp_reply(s, "503 5.5.1 Error: need MAIL command");
	else if (s->tx->body || s->tx->failed)
		smtp_reply(s, "503 5.5.1 Error: message text has begun");
	else if (!str_starts_nocase(arg, STR("TO:")))
		smtp_reply(s, "501 5.5.4 Syntax: RCPT TO:<address>");
	else
		take_recipient(s, str_skip(arg, 3));
}
