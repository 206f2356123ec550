/* What explain.ipc asks: a message is checked as `examine` does it, and each result is told with
 * what led to it. Records are asked for again here; the resolver has them at hand. */
#include <arpa/inet.h>
#include <inttypes.h>

#include "base/err.h"
#include "core/fiber.h"
#include "core/ipc.h"
#include "core/loop.h"
#include "filter/authres.h"
#include "filter/check.h"
#include "filter/explain_ipc.h"
#include "filter/filter.h"
#include "filter/iprev.h"
#include "filter/lookup.h"

/* An answer is at most 256 KiB. */
#define HEAD_TOLD_MAX 65536
#define VALUE_MAX     700
#define SEALS_MAX     10 /* the newest */
#define FACTS_EACH    16
#define FINDINGS_MAX  (DKIM_SIGNATURES_MAX + SEALS_MAX + 6)
#define RECORDS_MAX   3 /* of one name that are shown */

struct telling {
	struct check *check;
	struct arena *arena;
	struct explain_message_out *out;
};

/* Not longer than can be told, and with a space for what folds were. */
static struct str cut(struct telling *t, struct str value)
{
	struct buf b;
	bool space = false;

	buf_init(&b, t->arena, VALUE_MAX);
	value = str_sub(str_trim(value), 0, VALUE_MAX);
	for (size_t i = 0; i < value.n; i++) {
		bool is_space = ascii_is_space((unsigned char)value.p[i]);
		if (!is_space || !space)
			buf_putc(&b, is_space ? ' ' : value.p[i]);
		space = is_space;
	}
	return buf_str(&b);
}

static void begin(struct telling *t, const char *check_name, struct str subject, const char *result)
{
	check(t->out->findings_count < FINDINGS_MAX);
	t->out->findings[t->out->findings_count++] = (struct explain_finding){
		.check = str_from(check_name),
		.subject = cut(t, subject),
		.result = str_from(result),
	};
}

/* Facts without a value are left out. */
static void fact(struct telling *t, const char *name, struct str value)
{
	struct explain_finding *f = &t->out->findings[t->out->findings_count - 1];

	if (!value.n)
		return;
	check(f->facts < FACTS_EACH);
	f->facts++;
	t->out->facts[t->out->facts_count++] =
		(struct explain_fact){ .name = str_from(name), .value = cut(t, value) };
}

static bool looks_like(struct str text, struct str version)
{
	return !version.n || str_starts_nocase(str_trim(text), version);
}

/* The TXT records of a name that begin with `version`, or what is there instead. */
static void may_suspend records(struct telling *t, struct str name, struct str version)
{
	struct lookup_answer answer = { .status = DNS_TEMPFAIL };
	size_t shown = 0;

	if (!name.n || lookup_find(&t->check->filter->dns, DNS_TXT, name, t->arena, &answer) < 0)
		return;
	fact(t, "asked", arena_printf(t->arena, "%" STR_FMT " TXT", STR_ARG(name)));
	for (size_t i = 0; i < answer.n && shown < RECORDS_MAX; i++)
		if (looks_like(answer.v[i], version)) {
			fact(t, "record", answer.v[i]);
			shown++;
		}
	if (!shown)
		fact(t, "record",
		     answer.status == DNS_TEMPFAIL   ? STR("the DNS does not answer")
		     : answer.status == DNS_NXDOMAIN ? STR("there is no such name")
						     : STR("there is none"));
}

/* Does it count for DMARC? Asked as DMARC does it, with this domain as the only one that passed. */
static void may_suspend aligned(struct telling *t, struct str domain, bool by_dkim)
{
	struct check *c = t->check;
	struct dmarc_identifiers i = { .from = c->author_domain,
				       .spf = by_dkim ? STR_NONE : domain,
				       .dkim = &domain,
				       .dkim_count = by_dkim };
	struct dmarc_answer answer;

	if (!c->author_domain.n || c->dmarc.result == DMARC_NONE || !domain.n ||
	    dmarc_check(&c->filter->dns, &i, t->arena, &answer) < 0)
		return;
	fact(t, "aligned",
	     answer.result == DMARC_PASS   ? STR("yes")
	     : answer.result == DMARC_FAIL ? STR("no")
					   : STR("not known"));
}

static struct str address_text(struct telling *t)
{
	struct str a = t->check->question.address;
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(a.n == 4 ? AF_INET : AF_INET6, a.p, text, sizeof(text)))
		return STR_NONE;
	return arena_str(t->arena, str_from(text));
}

static void tell_iprev(struct telling *t)
{
	const struct filter_examine_in *in = t->check->in;

	if (!in->iprev)
		return;
	begin(t, "iprev", in->client_name, authres_iprev_name(in->iprev));
	fact(t, "client", in->client_address);
	fact(t, "reason",
	     in->iprev == FILTER_IPREV_PERMERROR   ? STR("the address has no name")
	     : in->iprev == FILTER_IPREV_FAIL	   ? STR("the name does not lead back to it")
	     : in->iprev == FILTER_IPREV_TEMPERROR ? STR("the DNS does not answer")
						   : STR_NONE);
}

static void may_suspend tell_spf(struct telling *t, const char *name, const struct spf_answer *s)
{
	const struct check *c = t->check;

	begin(t, name, s->domain, spf_result_name(s->result));
	fact(t, "client", address_text(t));
	fact(t, "identity",
	     s->by_helo ? arena_printf(t->arena, "HELO %" STR_FMT, STR_ARG(c->question.helo))
			: arena_printf(t->arena, "MAIL FROM <%" STR_FMT ">",
				       STR_ARG(c->question.sender)));
	records(t, s->domain, STR("v=spf1"));
	fact(t, "decided by", s->mechanism);
	fact(t, "reason", str_from(s->reason));
	fact(t, "explanation", s->explanation);
	if (c->sender.domain.p == s->domain.p)
		aligned(t, s->domain, false);
}

static void may_suspend tell_both_spf(struct telling *t)
{
	const struct check *c = t->check;

	if (!c->has_spf) {
		begin(t, "spf", STR_NONE, "unknown");
		fact(t, "reason",
		     c->question.address.n ? STR("the check was interrupted")
					   : STR("the address of the client is not known"));
		return;
	}
	tell_spf(t, "spf", &c->sender);
	if (c->helo.by_helo && c->question.helo.n)
		tell_spf(t, "helo", &c->helo);
}

static const char *canon(enum dkim_canon c)
{
	return c == DKIM_RELAXED ? "relaxed" : "simple";
}

static const char *algorithm(enum dkim_algorithm a)
{
	static const char *const names[] = {
		[DKIM_RSA_SHA256] = "rsa-sha256",
		[DKIM_ED25519_SHA256] = "ed25519-sha256",
		[DKIM_RSA_SHA1] = "rsa-sha1",
	};

	return names[a];
}

static void may_suspend tell_signature(struct telling *t, const char *name,
				       const struct dkim_signature *s)
{
	begin(t, name, s->domain, dkim_result_name(s->result));
	fact(t, "reason", str_from(s->reason));
	fact(t, "selector", s->selector);
	/* What cannot be read has no key, and nothing else. */
	if (!s->key_name.n)
		return;
	fact(t, "algorithm",
	     s->chain ? arena_printf(t->arena, "%s", algorithm(s->algorithm))
		      : arena_printf(t->arena, "%s, %s/%s", algorithm(s->algorithm),
				     canon(s->header), canon(s->body)));
	if (s->bits)
		fact(t, "key",
		     arena_printf(t->arena, "%u bits%s", s->bits,
				  s->testing ? ", for testing (t=y)" : ""));
	records(t, s->key_name, STR_NONE);
	fact(t, "signs", s->names);
	if (s->limit != DKIM_WHOLE_BODY && !s->chain)
		fact(t, "body",
		     arena_printf(t->arena, "only the first %" PRIu64 " bytes", s->limit));
}

static void may_suspend tell_dkim(struct telling *t)
{
	const struct dkim_verifier *v = &t->check->dkim;

	for (size_t i = 0; i < v->n; i++) {
		tell_signature(t, "dkim", &v->v[i]);
		aligned(t, v->v[i].domain, true);
	}
	if (!v->n)
		begin(t, "dkim", STR_NONE, "none");
	if (v->ignored)
		fact(t, "not looked at", arena_printf(t->arena, "%zu more", v->ignored));
}

static void may_suspend tell_arc(struct telling *t)
{
	struct check *c = t->check;
	const struct arc_chain *arc = &c->arc;

	begin(t, "arc", STR_NONE, arc_result_name(arc->result));
	if (arc->result == ARC_NONE)
		return;
	fact(t, "reason", str_from(arc->reason));
	fact(t, "sets", arena_printf(t->arena, "%zu", arc->n));
	fact(t, "first results", str_trim(arc->first_results));
	fact(t, "trusted",
	     arc_vouches(arc, c->filter->config.arc_trusted)
		     ? STR("yes: every seal is of POSTHORN_ARC_TRUSTED, and the first saw DMARC "
			   "pass")
		     : STR("no"));
	if (!arc->n)
		return;
	tell_signature(t, "arc-message", &arc->message);
	for (size_t i = arc->n; i > 0 && arc->n - i < SEALS_MAX; i--) {
		tell_signature(t, "arc-seal", &arc->seals[i - 1]);
		fact(t, "set", arena_printf(t->arena, "%zu", i));
	}
}

static void may_suspend tell_dmarc(struct telling *t)
{
	const struct check *c = t->check;
	const struct dmarc_answer *d = &c->dmarc;

	if (!c->author_domain.n) {
		begin(t, "dmarc", STR_NONE, "none");
		fact(t, "reason",
		     c->authors.more ? STR("the From line is too long to be checked")
				     : STR("the message has no author"));
		return;
	}
	begin(t, "dmarc", c->author_domain, dmarc_result_name(d->result));
	if (c->authors.count > 1)
		fact(t, "authors",
		     arena_printf(t->arena, "%zu domains; the worst counts", c->authors.count));
	records(t,
		arena_printf(t->arena, "_dmarc.%" STR_FMT,
			     STR_ARG(d->domain.n ? d->domain : c->author_domain)),
		STR("v=DMARC1"));
	if (d->result == DMARC_NONE)
		return;
	fact(t, "policy", str_from(dmarc_policy_name(d->policy)));
	fact(t, "applied", str_from(dmarc_policy_name(d->disposition)));
	if (c->vouched)
		fact(t, "override", STR("the ARC chain vouches for it"));
}

static void take_answer(struct telling *t, const struct filter_examine_out *answer)
{
	struct explain_message_out *out = t->out;

	out->server = t->check->filter->config.server;
	out->action = answer->action;
	out->reply = answer->reply;
	/* What is told is more than the fields say. */
	out->head = answer->head.n <= HEAD_TOLD_MAX ? answer->head : STR_NONE;
	out->symbols = ARENA_NEW_ARRAY(t->arena, struct explain_symbol, answer->symbols_count);
	out->symbols_count = answer->symbols_count;
	for (size_t i = 0; i < answer->symbols_count; i++) {
		const struct filter_symbol *s = &answer->symbols[i];
		out->symbols[i] = (struct explain_symbol){ s->name, s->weight, s->evidence };
	}
}

static int may_suspend explain(void *ctx, struct explain_message_in *in, struct arena *a,
			       struct explain_message_out *out, struct err *err)
{
	struct filter *f = ctx;
	struct filter_examine_in question = {
		.id = STR("explain"),
		.client_address = in->client_address,
		.helo = in->helo,
		.sender = in->sender,
		.body = in->body,
		.body_size = in->body_size,
	};
	struct filter_examine_out answer = { .action = 0 };
	struct telling t = { .arena = a, .out = out };
	struct iprev client;

	int64_t limit = fiber_limit_begin(loop_deadline(f->config.timeout));
	struct str address = iprev_address(in->client_address, a);
	(void)!iprev_find(&f->dns, address, a, &client);
	fiber_limit_end(limit);
	question.iprev = (uint8_t)client.result;
	question.client_name = client.name;
	t.check = filter_check_new(f, &question, a, err);
	int r = filter_check_run(t.check, &answer);
	if (r == 0) {
		take_answer(&t, &answer);
		out->findings = ARENA_NEW_ARRAY(a, struct explain_finding, FINDINGS_MAX);
		out->facts = ARENA_NEW_ARRAY(a, struct explain_fact, FINDINGS_MAX * FACTS_EACH);
		limit = fiber_limit_begin(t.check->end);
		tell_iprev(&t);
		tell_both_spf(&t);
		tell_dkim(&t);
		tell_arc(&t);
		tell_dmarc(&t);
		fiber_limit_end(limit);
	}
	filter_check_done(t.check);
	return r;
}

struct ipc_server filter_explain_server(struct filter *f)
{
	static const struct explain_ops ops = { .message = explain };

	return (struct ipc_server){ .service = &explain_service, .ops = &ops, .ctx = f };
}
