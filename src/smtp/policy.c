#include "smtp/policy.h"

#include "base/err.h"
#include "smtp/domain.h"
#include "smtp/peer_name.h"
#include "smtp/reply.h"
#include "smtp/report.h"
#include "smtp/session.h"

struct access {
	const char *what;
	struct str address;
	unsigned code;
	struct str text;
};

/* A host name or an address literal, fully qualified or not. */
static bool is_helo_valid(struct str helo)
{
	return smtp_domain_is_literal(helo) || smtp_domain_is_valid(helo);
}

/* "5.7.1 text" gives both, "text" the usual code. */
static bool has_enhanced_code(struct str s)
{
	return s.n >= 5 && ascii_is_digit((unsigned char)s.p[0]) && s.p[1] == '.' &&
	       ascii_is_digit((unsigned char)s.p[2]) && s.p[3] == '.' &&
	       ascii_is_digit((unsigned char)s.p[4]);
}

/* An access file says no, perhaps in the operator's own words. */
static void refuse_access(struct smtp_session *s, struct str rcpt, const struct access *a)
{
	struct str code = STR("5.7.1"), words = a->text;
	unsigned reply = a->code >= 400 && a->code < 600 ? a->code : 554;
	if (reply < 500)
		code = STR("4.7.1");
	if (has_enhanced_code(words)) {
		struct str rest;
		(void)str_cut(words, ' ', &code, &rest);
		words = str_trim(rest);
	}
	if (!words.n)
		words = STR("Access denied");
	smtp_refuse(s, rcpt, "%u %" STR_FMT " <%" STR_FMT ">: %s address rejected: %" STR_FMT,
		    reply, STR_ARG(code), STR_ARG(a->address), a->what, STR_ARG(words));
}

/* Is this client allowed to send to that address at all? */
static bool check_relay(struct smtp_session *s, struct str rcpt, const struct smtp_resolution *res)
{
	if (smtp_may_relay(s))
		return true;
	if (smtp_is_submission(s))
		smtp_refuse(s, rcpt, "554 5.7.1 <%s>: Client host rejected: Access denied",
			    s->peer);
	else if (res->verdict == AUTH_NOT_OURS)
		smtp_refuse(s, rcpt, "554 5.7.1 <%" STR_FMT ">: Relay access denied",
			    STR_ARG(rcpt));
	else
		return true;
	return false;
}

static bool check_helo_syntax(struct smtp_session *s, struct str rcpt)
{
	if (smtp_may_relay(s) || is_helo_valid(s->helo))
		return true;
	smtp_refuse(s, rcpt, "501 5.5.2 <%" STR_FMT ">: Helo command rejected: Invalid name",
		    STR_ARG(s->helo));
	return false;
}

static bool check_helo_full(struct smtp_session *s, struct str rcpt)
{
	/* What programs of this very machine call themselves is nobody's business. */
	if (smtp_may_relay(s) || smtp_is_loopback(s->client->address) ||
	    smtp_domain_is_full(s->helo))
		return true;
	smtp_refuse(s, rcpt,
		    "504 5.5.2 <%" STR_FMT
		    ">: Helo command rejected: need fully-qualified hostname",
		    STR_ARG(s->helo));
	return false;
}

static bool check_sender(struct smtp_session *s, struct str rcpt,
			 const struct smtp_sender_answer *answer)
{
	struct str sender = s->tx->sender.address;

	/* A trusted network may do what it likes; an account's own rules hold wherever it sends
	 * from. */
	if (answer->denied && (s->login.n || !smtp_may_relay(s))) {
		struct access a = { "Sender", sender, answer->code, answer->text };
		refuse_access(s, rcpt, &a);
		return false;
	}
	/* The null sender belongs to nobody, and to everybody's programs. */
	if (s->settings->spoof_protection && s->login.n && sender.n && !answer->owned) {
		smtp_refuse(s, rcpt,
			    "553 5.7.1 <%" STR_FMT
			    ">: Sender address rejected: not owned by user %" STR_FMT,
			    STR_ARG(sender), STR_ARG(s->login));
		return false;
	}
	return true;
}

/* Is it worth a question? One is asked for all recipients. */
static bool may_suspend is_missing(struct smtp_session *s, const struct smtp_sender_answer *answer)
{
	const struct smtp_backend *backend = s->svc->backend;
	struct smtp_tx *tx = s->tx;
	struct str domain = tx->sender.domain;

	if (smtp_may_relay(s) || smtp_is_loopback(s->client->address) || answer->ours ||
	    !backend->find_domain || !domain.n || smtp_domain_is_literal(domain) ||
	    !str_is_ascii(domain))
		return false;
	if (tx->sender_domain == SMTP_DOMAIN_UNASKED &&
	    backend->find_domain(s->svc->ctx, domain, &tx->sender_domain) < 0)
		return false;
	return tx->sender_domain == SMTP_DOMAIN_MISSING ||
	       tx->sender_domain == SMTP_DOMAIN_WITHOUT_MAIL;
}

/* Where no report could go, no mail comes from. It may be there tomorrow, and what cannot be found
 * out now is no reason. */
static bool may_suspend check_sender_domain(struct smtp_session *s, struct str rcpt,
					    const struct smtp_sender_answer *answer)
{
	struct str sender = s->tx->sender.address;

	if (!is_missing(s, answer))
		return true;
	if (s->tx->sender_domain == SMTP_DOMAIN_MISSING)
		smtp_refuse(s, rcpt,
			    "450 4.1.8 <%" STR_FMT ">: Sender address rejected: Domain not found",
			    STR_ARG(sender));
	else
		smtp_refuse(s, rcpt,
			    "556 5.7.27 <%" STR_FMT ">: Sender address rejected: Domain %" STR_FMT
			    " does not accept mail (nullMX)",
			    STR_ARG(sender), STR_ARG(s->tx->sender.domain));
	return false;
}

/* What cannot be found out just now is no name either: the client comes back. */
static bool may_suspend check_client_name(struct smtp_session *s, struct str rcpt)
{
	if (!s->settings->reject_unknown_client || smtp_may_relay(s) ||
	    smtp_is_loopback(s->client->address))
		return true;
	smtp_peer_name_wait(s);
	if (s->name.result == FILTER_IPREV_PASS)
		return true;
	smtp_refuse(s, rcpt, "450 4.7.25 Client host rejected: cannot find your hostname, [%s]",
		    s->client->address);
	return false;
}

/* For a moment: a mail program keeps the message and its user reads why. */
static bool check_rate(struct smtp_session *s, struct str rcpt,
		       const struct smtp_sender_answer *answer)
{
	if (!answer->pause)
		return true;
	smtp_refuse(s, rcpt,
		    "450 4.7.1 <%" STR_FMT ">: Recipient address rejected: user %" STR_FMT
		    " has sent to too many recipients in an hour, try again in %u minutes",
		    STR_ARG(rcpt), STR_ARG(s->login), (answer->pause + 59) / 60);
	return false;
}

static bool check_recipient(struct smtp_session *s, struct str rcpt,
			    const struct smtp_resolution *res)
{
	struct access a = { "Recipient", rcpt, res->code, res->text };
	if (res->verdict != AUTH_DENIED)
		return true;
	refuse_access(s, rcpt, &a);
	return false;
}

static bool check_existence(struct smtp_session *s, struct str rcpt,
			    const struct smtp_resolution *res)
{
	bool remote = false;
	for (size_t i = 0; i < res->count; i++)
		remote |= res->targets[i].kind == ENVELOPE_REMOTE;

	if (res->verdict == AUTH_ALIAS_ERROR)
		smtp_refuse(s, rcpt,
			    "451 4.3.5 <%" STR_FMT
			    ">: Recipient address rejected: Server configuration problem",
			    STR_ARG(rcpt));
	else if (res->verdict == AUTH_UNKNOWN_USER || res->count == 0)
		smtp_refuse(s, rcpt,
			    "550 5.1.1 <%" STR_FMT ">: Recipient address rejected: "
			    "User unknown in virtual mailbox table",
			    STR_ARG(rcpt));
	else if (remote && !s->svc->can_relay)
		smtp_refuse(s, rcpt,
			    "550 5.1.2 <%" STR_FMT ">: Recipient address rejected: "
			    "mail to other servers is not delivered here",
			    STR_ARG(rcpt));
	else
		return true;
	return false;
}

/* Told here, a sender learns it at once instead of by a report. An alias of several mailboxes is
 * left to delivery, and so is what cannot be told. */
static bool may_suspend check_room(struct smtp_session *s, struct str rcpt,
				   const struct smtp_resolution *res)
{
	const struct smtp_backend *backend = s->svc->backend;
	struct err err;

	if (smtp_may_relay(s) || res->count != 1 || !res->targets[0].limited || !backend->is_full ||
	    backend->is_full(s->svc->ctx, &res->targets[0], s->tx->params.size, &err) != 1)
		return true;
	smtp_refuse(s, rcpt,
		    "552 5.2.2 <%" STR_FMT ">: Recipient address rejected: Mailbox is full",
		    STR_ARG(rcpt));
	return false;
}

bool smtp_policy_check(struct smtp_session *s, struct str rcpt, const struct smtp_resolution *res)
{
	return check_relay(s, rcpt, res) && check_rate(s, rcpt, &res->sender) &&
	       check_helo_syntax(s, rcpt) && check_sender(s, rcpt, &res->sender) &&
	       check_sender_domain(s, rcpt, &res->sender) && check_client_name(s, rcpt) &&
	       check_recipient(s, rcpt, res) && check_helo_full(s, rcpt) &&
	       check_existence(s, rcpt, res) && check_room(s, rcpt, res);
}

bool smtp_is_loopback(const char *address)
{
	struct str a = str_from(address);
	return str_starts(a, STR("127.")) || str_eq(a, STR("::1"));
}
