/* What is known about a message: SPF and DKIM at once, then what its author's domain makes of
 * them. */
#include <errno.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rand.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/work.h"
#include "filter/arc.h"
#include "filter/authres.h"
#include "filter/check.h"
#include "filter/dkim_verify.h"
#include "filter/dmarc.h"
#include "filter/dmarc_results.h"
#include "filter/filter.h"
#include "filter/filter_state.h"
#include "filter/iprev.h"
#include "filter/message.h"
#include "filter/spf.h"

#define HEAD_MAX 65536

/* A key of a signature. */
struct key_question {
	struct check *check;
	struct dkim_signature *signature;
};

static void feed(void *ctx, struct str piece)
{
	dkim_verify_body(ctx, piece);
}

/* OpenDKIM's InternalHosts: what they send in the name of somebody whose key we have is signed
 * and not verified. */
static void choose_signers(struct check *c)
{
	const struct filter_examine_in *in = c->in;
	struct str name = in->iprev == FILTER_IPREV_PASS ? in->client_name : STR_NONE;

	if (!in->client_address.n || !signing_trusts(c->signing, in->client_address, name))
		return;
	c->author = message_author(&c->dkim.fields, &c->reading);
	c->signer_count = signing_find(c->signing, c->author, c->signers);
	if (!c->signer_count)
		return;
	c->dkim.n = 0;
	c->sealer = NULL;
}

static int read_message(void *arg)
{
	struct check *c = arg;
	struct message m;

	int r = message_open(&m, c->in->body, c->in->body_size, &c->reading, c->err);
	if (r == 0)
		r = dkim_verify_begin(&c->dkim, m.header, time(NULL), &c->reading);
	if (r < 0)
		return r;
	c->dkim.keys = c->filter->keys;
	arc_begin(&c->arc, &c->dkim);
	choose_signers(c);
	if (c->sealer || c->signer_count)
		c->seal.hash = arc_seal_begin(&c->dkim);
	r = message_read_body(&m, feed, &c->dkim, c->err);
	if (r < 0)
		return r;
	dkim_verify_body_end(&c->dkim);
	arc_body_end(&c->arc, &c->dkim);
	message_author_domains(&c->dkim.fields, &c->reading, &c->authors);
	return 0;
}

static void find_key(void *arg)
{
	struct key_question *q = arg;
	struct check *c = q->check;
	struct lookup_answer answer = { .status = DNS_TEMPFAIL };

	int64_t limit = fiber_limit_begin(c->end);
	int r = lookup_find(&c->filter->dns, DNS_TXT, q->signature->key_name, c->arena, &answer);
	fiber_limit_end(limit);
	if (r < 0 || answer.status == DNS_TEMPFAIL) {
		q->signature->result = DKIM_TEMPERROR;
		q->signature->reason = "the DNS does not answer";
		return;
	}
	dkim_verify_key(&c->dkim, q->signature, answer.v, answer.n);
}

static void may_suspend ask_for_key(struct check *c, struct group *g, struct dkim_signature *s)
{
	struct key_question *q = ARENA_NEW(c->arena, struct key_question);

	*q = (struct key_question){ c, s };
	if (s->result == DKIM_NONE && fiber_spawn(g, "dkim key", find_key, q) < 0)
		s->result = DKIM_TEMPERROR;
}

/* All keys are asked for at once. */
static void may_suspend check_signatures(struct check *c)
{
	struct dkim_signature *s;
	auto_group struct group g;

	group_init(&g);
	for (size_t i = 0; i < c->dkim.n; i++)
		ask_for_key(c, &g, &c->dkim.v[i]);
	for (size_t i = 0; (s = arc_signature(&c->arc, i)); i++)
		ask_for_key(c, &g, s);
	(void)!group_join(&g, LOOP_FOREVER);
	arc_end(&c->arc);
}

/* The sender's identity is about the message; HELO's is only asked for where it may refuse it. */
static void check_spf(void *arg)
{
	struct check *c = arg;
	const struct lookup *dns = &c->filter->dns;

	int64_t limit = fiber_limit_begin(c->end);
	c->has_spf = spf_check_sender(dns, &c->question, c->arena, &c->sender) == 0;
	if (c->has_spf && c->question.sender.n && c->filter->config.spf_rejects)
		c->has_spf = spf_check_helo(dns, &c->question, c->arena, &c->helo) == 0;
	fiber_limit_end(limit);
}

/* Both at once. A check that is cut short has temporary results, never none. */
static void may_suspend check_sources(struct check *c)
{
	auto_group struct group g;

	group_init(&g);
	c->question =
		(struct spf_question){ .address = iprev_address(c->in->client_address, c->arena),
				       .sender = c->in->sender,
				       .helo = c->in->helo,
				       .receiver = c->filter->config.server,
				       .now = time(NULL) };
	if (c->question.address.n)
		(void)!fiber_spawn(&g, "spf", check_spf, c);
	c->read = work_run(read_message, c);
	if (c->read == 0)
		check_signatures(c);
	(void)!group_join(&g, LOOP_FOREVER);
}

/* With several authors the worst result counts: nobody can tell whom a reader will see. */
static bool is_worse(const struct dmarc_answer *a, const struct dmarc_answer *b)
{
	static const int order[] = { [DMARC_PASS] = 0,
				     [DMARC_NONE] = 1,
				     [DMARC_PERMERROR] = 2,
				     [DMARC_TEMPERROR] = 2,
				     [DMARC_FAIL] = 3 };

	if (a->result != b->result)
		return order[a->result] > order[b->result];
	return a->disposition > b->disposition;
}

/* One question about a key or SPF that nobody answers takes all the time; the policy, which is
 * asked for last, has an eighth more. */
static int64_t policy_end(const struct check *c)
{
	int64_t end = loop_deadline(c->filter->config.timeout / 8);

	return end > c->end ? end : c->end;
}

static void may_suspend check_dmarc(struct check *c)
{
	struct str domains[DKIM_SIGNATURES_MAX];
	struct dmarc_identifiers i = { .dkim = domains, .chance = (unsigned)(rand_u64() % 100) };

	for (size_t k = 0; k < c->dkim.n; k++) {
		const struct dkim_signature *s = &c->dkim.v[k];
		if (s->result == DKIM_PASS)
			domains[i.dkim_count++] = s->domain;
		i.undecided |= s->result == DKIM_TEMPERROR;
	}
	for (size_t k = 0; k < c->signer_count; k++)
		domains[i.dkim_count++] = signing_domain(c->signers[k], c->author);
	if (c->has_spf && c->sender.result == SPF_PASS)
		i.spf = c->sender.domain;
	i.undecided |= !c->has_spf || c->sender.result == SPF_TEMPERROR;
	int64_t limit = fiber_limit_begin(policy_end(c));
	for (size_t k = 0; k < c->authors.count; k++) {
		struct dmarc_answer answer = { .result = DMARC_TEMPERROR };
		i.from = c->authors.domains[k];
		if (dmarc_check(&c->filter->dns, &i, c->arena, &answer) < 0)
			answer = (struct dmarc_answer){ .result = DMARC_TEMPERROR };
		if (k == 0 || is_worse(&answer, &c->dmarc)) {
			c->dmarc = answer;
			c->author_domain = i.from;
		}
	}
	fiber_limit_end(limit);
	/* A mailing list that we trust has seen it pass before changing it. */
	c->vouched = c->dmarc.result == DMARC_FAIL &&
		     arc_vouches(&c->arc, c->filter->config.arc_trusted);
	if (c->vouched)
		c->dmarc.disposition = DMARC_ACCEPT;
}

/* In thousandths. They are those that docker-mailserver gives Rspamd. */
static const struct {
	const char *name;
	int weight;
} weights[] = {
	{ "DKIM_PASS", -1000 },	    { "DKIM_FAIL", 4500 },   { "DKIM_POLICY", 4500 },
	{ "DKIM_PERMERROR", 4500 }, { "DKIM_NONE", 1000 },   { "DKIM_TEMPERROR", 1500 },
	{ "SPF_PASS", -1000 },	    { "SPF_NEUTRAL", 1500 }, { "SPF_NONE", 1500 },
	{ "SPF_SOFTFAIL", 2500 },   { "SPF_FAIL", 4500 },    { "SPF_PERMERROR", 4500 },
	{ "SPF_TEMPERROR", 2500 },  { "DMARC_PASS", -1000 }, { "DMARC_NONE", 500 },
	{ "DMARC_FAIL", 1500 },
};

static int weight_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(weights); i++)
		if (str_eq(name, str_from(weights[i].name)))
			return weights[i].weight;
	return 0;
}

static void add_symbol(struct check *c, const char *check_name, const char *result,
		       struct str evidence)
{
	struct str name = arena_printf(c->arena, "%s_%s", check_name, result);
	char *upper = arena_cstr(c->arena, name);

	for (size_t i = 0; i < name.n; i++)
		upper[i] = ascii_upper(upper[i]);
	name.p = upper;
	c->symbols[c->symbol_count++] = (struct filter_symbol){ .name = name,
								.weight = weight_of(name),
								.evidence = evidence };
}

static void add_symbols(struct check *c)
{
	for (size_t i = 0; i < c->dkim.n; i++)
		add_symbol(c, "DKIM", dkim_result_name(c->dkim.v[i].result), c->dkim.v[i].domain);
	if (c->signer_count)
		add_symbol(c, "DKIM", "signed", c->author);
	else if (!c->dkim.n)
		add_symbol(c, "DKIM", dkim_result_name(DKIM_NONE), STR_NONE);
	if (c->has_spf)
		add_symbol(c, "SPF", spf_result_name(c->sender.result), c->sender.domain);
	if (c->arc.result != ARC_NONE)
		add_symbol(c, "ARC", arc_result_name(c->arc.result), str_from(c->arc.reason));
	if (c->in->iprev)
		add_symbol(c, "IPREV", authres_iprev_name(c->in->iprev), c->in->client_name);
	if (c->author_domain.n)
		add_symbol(c, "DMARC", dmarc_result_name(c->dmarc.result), c->author_domain);
}

/* The key of the address that forwards, else that of the domain that stands in the envelope of what
 * we forward, else that of this host's domain. */
static void choose_sealer(struct check *c)
{
	const struct filter_config *config = &c->filter->config;
	struct str candidates[] = { c->in->forwarder, config->srs_domain, config->domain,
				    config->server };

	for (size_t i = 0; i < ARRAY_LEN(candidates) && c->in->forwarder.n && !c->sealer; i++) {
		char *p =
			arena_cstr(c->arena, i == 0 ? candidates[i]
						    : arena_printf(c->arena, "postmaster@%" STR_FMT,
								   STR_ARG(candidates[i])));
		str_lower_bytes(p, strlen(p));
		c->sealer = signing_find_sealer(c->signing, str_from(p));
		if (c->sealer)
			c->seal.identity = (struct dkim_identity){
				.domain = signing_domain(c->sealer, str_from(p)),
				.selector = c->sealer->selector,
				.key = &c->sealer->key,
				.now = time(NULL),
			};
	}
}

static int write_added(void *arg)
{
	struct check *c = arg;
	const struct dkim_signer signer = { c->dkim.fields, c->dkim.hashes, c->seal.hash };

	for (size_t i = 0; i < c->signer_count; i++) {
		const struct signing_key *key = c->signers[i];
		struct dkim_identity id = { signing_domain(key, c->author), key->selector,
					    &key->key, time(NULL) };
		dkim_sign_write(&signer, &id, &c->added);
	}
	if (c->sealer)
		arc_seal_write(&c->seal, &c->added);
	return 0;
}

/* What passes this server on its way to another one takes along what was found here; and what a
 * trusted host sends gets our signature. */
static void may_suspend sign(struct check *c, struct str results)
{
	if (!c->sealer && !c->signer_count)
		return;
	buf_init(&c->added, c->arena, HEAD_MAX);
	c->seal.verifier = &c->dkim;
	c->seal.chain = &c->arc;
	c->seal.results = results;
	/* Two signatures with RSA take as long as hashing a megabyte. */
	if (work_run(write_added, c) < 0 || buf_failed(&c->added))
		buf_clear(&c->added);
}

static void count(const struct check *c)
{
	if (c->sealer)
		metric_add(METRIC_ARC_SEALED, c->added.n > 0);
	else
		metric_add(METRIC_DKIM_SIGNED, c->added.n ? c->signer_count : 0);
	metric_add(METRIC_FILTER_CHECKED, 1);
}

static void write_results(struct check *c, struct buf *results)
{
	struct authres r = {
		.server = c->filter->config.server,
		.dkim = &c->dkim,
		.arc = &c->arc,
		.spf = c->has_spf ? &c->sender : NULL,
		.dmarc = c->author_domain.n ? &c->dmarc : NULL,
		.author_domain = c->author_domain,
		.client_address = c->in->client_address,
		.client_name = c->in->client_name,
		.iprev = c->in->iprev,
	};

	authres_write(results, &r);
}

static void write_head(struct check *c, struct str results, struct buf *head)
{
	buf_put_str(head, buf_str(&c->added));
	buf_printf(head, "Authentication-Results: %" STR_FMT "\r\n", STR_ARG(results));
	if (c->has_spf)
		spf_write_received(head, &c->question, &c->sender);
}

static void refuse(struct filter_examine_out *out, struct str reply)
{
	out->action = FILTER_REJECT;
	out->reply = reply;
}

/* The words are those that users of docker-mailserver know from its log. */
static void decide(struct check *c, struct filter_examine_out *out)
{
	const struct filter_config *config = &c->filter->config;
	bool spf_fails = c->has_spf && (c->sender.result == SPF_FAIL || c->helo.result == SPF_FAIL);

	if (spf_fails && config->spf_rejects)
		refuse(out,
		       arena_printf(c->arena,
				    "550 5.7.23 Message rejected due to: SPF fail - not authorized"
				    "%s%" STR_FMT,
				    c->sender.explanation.n ? ": " : ".",
				    STR_ARG(c->sender.explanation)));
	else if (c->dmarc.disposition == DMARC_REJECT && config->dmarc_rejects)
		refuse(out,
		       arena_printf(c->arena, "550 5.7.1 rejected by DMARC policy for %" STR_FMT,
				    STR_ARG(c->author_domain)));
	else if (c->authors.more && config->dmarc_rejects)
		refuse(out, STR("550 5.7.1 rejected: the From line is too long to be checked"));
	else if (c->dmarc.disposition > DMARC_ACCEPT || c->authors.more)
		out->action = FILTER_QUARANTINE;
}

/* The result that says most: one that passes, else the first. */
static const char *dkim_summary(const struct check *c)
{
	for (size_t i = 0; i < c->dkim.n; i++)
		if (c->dkim.v[i].result == DKIM_PASS)
			return "pass";
	return dkim_result_name(c->dkim.n ? c->dkim.v[0].result : DKIM_NONE);
}

static void report(const struct check *c)
{
	bool has_author = c->author_domain.n > 0;

	count(c);
	log_event(LOG_FILTER_CHECKED, LOG_STR("id", c->in->id), LOG_CSTR("dkim", dkim_summary(c)),
		  LOG_CSTR("spf", c->has_spf ? spf_result_name(c->sender.result) : "none"),
		  LOG_CSTR("dmarc", dmarc_result_name(c->dmarc.result)),
		  LOG_CSTR("policy", dmarc_policy_name(c->dmarc.policy)),
		  LOG_STR("domain", has_author ? c->author_domain : STR("unknown")));
}

/* Nobody acts on a quarantine yet, so that it is none in a report. */
static void record(const struct check *c)
{
	bool rejects = c->dmarc.disposition == DMARC_REJECT && c->filter->config.dmarc_rejects;
	const struct dmarc_result_line line = {
		.answer = &c->dmarc,
		.disposition = rejects ? DMARC_REJECT : DMARC_ACCEPT,
		.vouched = c->vouched,
		.client_address = c->in->client_address,
		.author_domain = c->author_domain,
		.sender = c->in->sender,
		.spf = c->has_spf ? &c->sender : NULL,
		.dkim = &c->dkim,
		.now = time(NULL),
	};

	dmarc_results_add(c->filter->dmarc_results, &line);
}

int filter_check_run(struct check *c, struct filter_examine_out *out)
{
	struct buf results, head;

	choose_sealer(c);
	check_sources(c);
	if (c->read < 0)
		return c->read;
	check_dmarc(c);
	buf_init(&results, c->arena, HEAD_MAX);
	write_results(c, &results);
	add_symbols(c);
	decide(c, out);
	if (out->action != FILTER_REJECT)
		sign(c, buf_str(&results));
	buf_init(&head, c->arena, 2 * HEAD_MAX);
	write_head(c, buf_str(&results), &head);
	if (buf_failed(&results) || buf_failed(&head))
		return err_set(c->err, -E2BIG, "the results are too large");
	out->head = buf_str(&head);
	out->symbols = ARENA_NEW_ARRAY(c->arena, struct filter_symbol, c->symbol_count);
	for (size_t i = 0; i < c->symbol_count; i++) {
		out->symbols[i] = c->symbols[i];
		out->symbols[i].evidence = arena_str(c->arena, c->symbols[i].evidence);
	}
	out->symbols_count = c->symbol_count;
	return 0;
}

/* Too large for the stack of a fiber. */
struct check *filter_check_new(struct filter *f, const struct filter_examine_in *in,
			       struct arena *a, struct err *err)
{
	struct check *c = ARENA_NEW(a, struct check);

	*c = (struct check){ .filter = f, .in = in, .arena = a, .err = err };
	c->signing = signing_ref(f->signing);
	c->end = loop_deadline(f->config.timeout);
	arena_init(&c->reading);
	return c;
}

void filter_check_done(struct check *c)
{
	dkim_verify_done(&c->dkim);
	signing_unref(c->signing);
	arena_done(&c->reading);
}

int filter_run_checks(void *ctx, struct filter_examine_in *in, struct arena *a,
		      struct filter_examine_out *out, struct err *err)
{
	struct check *c = filter_check_new(ctx, in, a, err);
	int r = filter_check_run(c, out);

	if (r == 0) {
		report(c);
		record(c);
	}
	filter_check_done(c);
	return r;
}
