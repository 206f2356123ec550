#include "filter/spf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>

#include "base/arena.h"
#include "filter/lookup.h"
#include "filter/spf_record.h"

/* RFC 7208 4.6.4 */
#define LOOKUPS_MAX 10
#define VOIDS_MAX   2
#define NAMES_MAX   10

#define DOMAIN_MAX	253
#define LABEL_MAX	63
#define EXPANDED_MAX	4096
#define EXPLANATION_MAX 512

/* One check, with all includes. */
struct spf_eval {
	const struct lookup *dns;
	const struct spf_question *q;
	struct arena *arena;
	struct str address;		/* 4 bytes also when it was IPv4 in IPv6 */
	struct str sender, local, host; /* "local@host" */
	unsigned lookups, voids;
	struct str validated; /* %{p}; empty: not asked */
	const char *reason;
	struct str mechanism, explanation;
	bool canceled;
};

/* What a term says, or a result that ends the check. */
enum match {
	MATCH_NO,
	MATCH_YES,
	MATCH_TEMPERROR,
	MATCH_PERMERROR,
};

static enum spf_result check_host(struct spf_eval *e, struct str domain, bool included);

const char *spf_result_name(enum spf_result r)
{
	static const char *const names[] = {
		[SPF_NONE] = "none",	       [SPF_NEUTRAL] = "neutral",
		[SPF_PASS] = "pass",	       [SPF_FAIL] = "fail",
		[SPF_SOFTFAIL] = "softfail",   [SPF_TEMPERROR] = "temperror",
		[SPF_PERMERROR] = "permerror",
	};

	check((size_t)r < ARRAY_LEN(names));
	return names[r];
}

static enum match permerror(struct spf_eval *e, const char *reason)
{
	e->reason = reason;
	return MATCH_PERMERROR;
}

/* An interrupted check ends as fast as one whose DNS fails. */
static void find(struct spf_eval *e, enum dns_type type, struct str name, struct lookup_answer *out)
{
	*out = (struct lookup_answer){ .status = DNS_TEMPFAIL };
	if (!e->canceled && lookup_find(e->dns, type, name, e->arena, out) < 0) {
		e->canceled = true;
		*out = (struct lookup_answer){ .status = DNS_TEMPFAIL };
	}
}

static bool count_lookup(struct spf_eval *e)
{
	return ++e->lookups <= LOOKUPS_MAX;
}

/* RFC 7208 4.3: what can be asked for, with at least two labels. */
static bool is_domain(struct str s)
{
	size_t label = 0, dots = 0;

	if (str_ends(s, STR(".")))
		s.n--;
	if (!s.n || s.n > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		label = s.p[i] == '.' ? 0 : label + 1;
		dots += s.p[i] == '.';
		if (label > LABEL_MAX || (s.p[i] == '.' && (i == 0 || s.p[i - 1] == '.')))
			return false;
	}
	return dots > 0;
}

static bool is_below(struct str name, struct str domain)
{
	return str_eq_nocase(name, domain) || (name.n > domain.n && str_ends_nocase(name, domain) &&
					       name.p[name.n - domain.n - 1] == '.');
}

static enum dns_type address_type(const struct spf_eval *e)
{
	return e->address.n == 4 ? DNS_A : DNS_AAAA;
}

static bool has_address(const struct spf_eval *e, const struct lookup_answer *answer)
{
	for (size_t i = 0; i < answer->n; i++)
		if (str_eq(answer->v[i], e->address))
			return true;
	return false;
}

/* Does a name from the reverse tree lead back to the address? */
static bool is_validated(struct spf_eval *e, struct str name)
{
	struct lookup_answer answer;

	find(e, address_type(e), name, &answer);
	return has_address(e, &answer);
}

/* RFC 7208 7.3: the domain itself, else one below it, else any. */
static struct str validated_name(struct spf_eval *e, struct str domain)
{
	struct lookup_answer names;
	struct str any = STR_NONE, below = STR_NONE;

	if (!count_lookup(e))
		return STR("unknown");
	find(e, DNS_PTR, e->address, &names);
	for (size_t i = 0; i < names.n && i < NAMES_MAX; i++) {
		if (!is_validated(e, names.v[i]))
			continue;
		if (str_eq_nocase(names.v[i], domain))
			return names.v[i];
		if (!below.n && is_below(names.v[i], domain))
			below = names.v[i];
		if (!any.n)
			any = names.v[i];
	}
	return below.n ? below : any.n ? any : STR("unknown");
}

static struct str address_text(const struct spf_eval *e)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(e->address.n == 4 ? AF_INET : AF_INET6, e->address.p, text, sizeof(text));
	return arena_str(e->arena, str_from(text));
}

/* %{i}: as it is written in the reverse tree, but forwards. */
static struct str address_labels(const struct spf_eval *e)
{
	struct buf b;

	if (e->address.n == 4)
		return address_text(e);
	buf_init(&b, e->arena, 64);
	for (size_t i = 0; i < e->address.n; i++) {
		unsigned c = (unsigned char)e->address.p[i];
		buf_printf(&b, "%s%x.%x", i ? "." : "", c >> 4, c & 15);
	}
	return buf_str(&b);
}

static struct str macro_value(struct spf_eval *e, char letter, struct str domain)
{
	switch (letter) {
	case 's':
		return e->sender;
	case 'l':
		return e->local;
	case 'o':
		return e->host;
	case 'd':
		return domain;
	case 'i':
		return address_labels(e);
	case 'p':
		if (!e->validated.n)
			e->validated = validated_name(e, domain);
		return e->validated;
	case 'v':
		return e->address.n == 4 ? STR("in-addr") : STR("ip6");
	case 'h':
		return e->q->helo;
	case 'c':
		return address_text(e);
	case 'r':
		return e->q->receiver.n ? e->q->receiver : STR("unknown");
	default:
		return arena_printf(e->arena, "%" PRId64, e->q->now);
	}
}

#define PARTS_MAX 128

/* Split at the delimiters; parts beyond the limit stay in the last one. */
static size_t split(struct str value, struct str delimiters, struct str parts[PARTS_MAX])
{
	size_t n = 0, from = 0;

	if (!delimiters.n)
		delimiters = STR(".");
	for (size_t i = 0; i < value.n && n < PARTS_MAX - 1; i++) {
		if (str_find_byte(delimiters, value.p[i]) < 0)
			continue;
		parts[n++] = str_sub(value, from, i - from);
		from = i + 1;
	}
	parts[n++] = str_skip(value, from);
	return n;
}

static void put_escaped(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (ascii_is_alnum(c) || (c && strchr("-._~", c)))
			buf_putc(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void put_macro(struct spf_eval *e, const struct spf_piece *p, struct str domain,
		      struct buf *out)
{
	struct str parts[PARTS_MAX];
	size_t n = split(macro_value(e, p->letter, domain), p->delimiters, parts);
	size_t keep = p->keep && p->keep < n ? p->keep : n;

	for (size_t i = n - keep; i < n; i++) {
		struct str part = parts[p->reverse ? n - 1 - i : i];
		if (i > n - keep)
			buf_putc(out, '.');
		if (p->escape)
			put_escaped(out, part);
		else
			buf_put_str(out, part);
	}
}

/* The text with its macros expanded; empty when it gets too long. */
static struct str expand(struct spf_eval *e, struct str text, struct str domain)
{
	struct spf_piece p;
	struct buf out;

	buf_init(&out, e->arena, EXPANDED_MAX);
	while (spf_piece_next(&text, &p) > 0) {
		if (p.letter)
			put_macro(e, &p, domain, &out);
		else
			buf_put_str(&out, p.literal);
	}
	return buf_failed(&out) ? STR_NONE : buf_str(&out);
}

/* RFC 7208 7.3: labels are dropped from the left until a name fits. */
static struct str target(struct spf_eval *e, struct str spec, struct str domain)
{
	if (!spec.n)
		return domain;
	struct str name = expand(e, spec, domain);
	if (str_ends(name, STR(".")))
		name.n--;
	while (name.n > DOMAIN_MAX) {
		ssize_t dot = str_find_byte(name, '.');
		if (dot < 0)
			return STR_NONE;
		name = str_skip(name, (size_t)dot + 1);
	}
	return name;
}

static bool in_network(struct str address, const void *network, unsigned prefix)
{
	const unsigned char *n = network;
	unsigned whole = prefix / 8, rest = prefix % 8;

	if (memcmp(address.p, n, whole) != 0)
		return false;
	return !rest || ((unsigned char)address.p[whole] ^ n[whole]) >> (8 - rest) == 0;
}

static bool any_in_network(const struct spf_eval *e, const struct lookup_answer *answer,
			   const struct spf_term *t)
{
	unsigned prefix = e->address.n == 4 ? t->prefix4 : t->prefix6;

	for (size_t i = 0; i < answer->n; i++)
		if (answer->v[i].n == e->address.n &&
		    in_network(e->address, answer->v[i].p, prefix))
			return true;
	return false;
}

/* Ask what a term is about. MATCH_YES: there is an answer. */
static enum match ask(struct spf_eval *e, enum dns_type type, struct str name,
		      struct lookup_answer *out)
{
	*out = (struct lookup_answer){ .status = DNS_NXDOMAIN };
	if (type == DNS_PTR || is_domain(name))
		find(e, type, name, out);
	if (out->status == DNS_TEMPFAIL) {
		e->reason = "the DNS does not answer";
		return MATCH_TEMPERROR;
	}
	if (!out->n && ++e->voids > VOIDS_MAX)
		return permerror(e, "too many questions to the DNS had no answer");
	return out->n ? MATCH_YES : MATCH_NO;
}

static enum match match_a(struct spf_eval *e, const struct spf_term *t, struct str name)
{
	struct lookup_answer answer;
	enum match m = ask(e, address_type(e), name, &answer);

	return m == MATCH_YES && !any_in_network(e, &answer, t) ? MATCH_NO : m;
}

static enum match match_mx(struct spf_eval *e, const struct spf_term *t, struct str name)
{
	struct lookup_answer hosts, answer;
	enum match m = ask(e, DNS_MX, name, &hosts);

	if (m != MATCH_YES)
		return m;
	if (hosts.n > NAMES_MAX)
		return permerror(e, "too many MX records");
	for (size_t i = 0; i < hosts.n; i++) {
		if (!hosts.v[i].n)
			continue;
		find(e, address_type(e), hosts.v[i], &answer);
		if (answer.status == DNS_TEMPFAIL) {
			e->reason = "the DNS does not answer";
			return MATCH_TEMPERROR;
		}
		if (any_in_network(e, &answer, t))
			return MATCH_YES;
	}
	return MATCH_NO;
}

/* RFC 7208 5.5: whatever fails here is no match. */
static enum match match_ptr(struct spf_eval *e, struct str domain)
{
	struct lookup_answer names;
	enum match m = ask(e, DNS_PTR, e->address, &names);

	if (m != MATCH_YES)
		return m == MATCH_TEMPERROR ? MATCH_NO : m;
	for (size_t i = 0; i < names.n && i < NAMES_MAX; i++)
		if (is_below(names.v[i], domain) && is_validated(e, names.v[i]))
			return MATCH_YES;
	return MATCH_NO;
}

static enum match match_exists(struct spf_eval *e, struct str name)
{
	struct lookup_answer answer;

	return ask(e, DNS_A, name, &answer);
}

/* RFC 7208 5.2 */
static enum match match_include(struct spf_eval *e, struct str name)
{
	switch (check_host(e, name, true)) {
	case SPF_PASS:
		return MATCH_YES;
	case SPF_TEMPERROR:
		return MATCH_TEMPERROR;
	case SPF_PERMERROR:
		return MATCH_PERMERROR;
	case SPF_NONE:
		return permerror(e, "an included domain has no record");
	default:
		return MATCH_NO;
	}
}

static enum match match_term(struct spf_eval *e, const struct spf_term *t, struct str domain)
{
	bool v4 = e->address.n == 4;

	switch (t->mechanism) {
	case SPF_ALL:
		return MATCH_YES;
	case SPF_IP4:
		return v4 && in_network(e->address, t->network, t->prefix4) ? MATCH_YES : MATCH_NO;
	case SPF_IP6:
		return !v4 && in_network(e->address, t->network, t->prefix6) ? MATCH_YES : MATCH_NO;
	default:
		break;
	}
	if (!count_lookup(e))
		return permerror(e, "too many terms that ask the DNS");
	struct str name = target(e, t->spec, domain);
	switch (t->mechanism) {
	case SPF_INCLUDE:
		return match_include(e, name);
	case SPF_A:
		return match_a(e, t, name);
	case SPF_MX:
		return match_mx(e, t, name);
	case SPF_PTR:
		return match_ptr(e, name);
	default:
		return match_exists(e, name);
	}
}

/* RFC 7208 6.2: whatever is wrong with an explanation, there is none then. */
static void explain(struct spf_eval *e, const struct spf_record *record, struct str domain)
{
	struct lookup_answer answer;
	struct str name = record->has_exp ? target(e, record->exp, domain) : STR_NONE;

	e->explanation = STR_NONE;
	if (!is_domain(name))
		return;
	find(e, DNS_TXT, name, &answer);
	if (answer.n != 1)
		return;
	struct spf_piece p;
	struct str rest = answer.v[0];
	int r;
	while ((r = spf_piece_next(&rest, &p)) > 0)
		;
	struct str text = r < 0 ? STR_NONE : expand(e, answer.v[0], domain);
	if (text.n <= EXPLANATION_MAX && str_is_printable(text))
		e->explanation = text;
}

static enum spf_result result_of(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_FAIL;
	case '~':
		return SPF_SOFTFAIL;
	case '?':
		return SPF_NEUTRAL;
	default:
		return SPF_PASS;
	}
}

static enum spf_result redirect(struct spf_eval *e, const struct spf_record *record,
				struct str domain, bool included)
{
	if (!count_lookup(e)) {
		e->reason = "too many terms that ask the DNS";
		return SPF_PERMERROR;
	}
	enum spf_result r = check_host(e, target(e, record->redirect, domain), included);
	if (r != SPF_NONE)
		return r;
	e->reason = "the domain of redirect= has no record";
	return SPF_PERMERROR;
}

static enum spf_result evaluate(struct spf_eval *e, const struct spf_record *record,
				struct str domain, bool included)
{
	for (size_t i = 0; i < record->n; i++) {
		const struct spf_term *t = &record->terms[i];
		enum match m = match_term(e, t, domain);
		if (m == MATCH_NO)
			continue;
		if (!included)
			e->mechanism = t->text;
		if (m == MATCH_TEMPERROR)
			return SPF_TEMPERROR;
		if (m == MATCH_PERMERROR)
			return SPF_PERMERROR;
		enum spf_result r = result_of(t->qualifier);
		if (r == SPF_FAIL && !included)
			explain(e, record, domain);
		return r;
	}
	return record->has_redirect ? redirect(e, record, domain, included) : SPF_NEUTRAL;
}

/* RFC 7208 4.4, 4.5. MATCH_NO: the domain has none. */
static enum match find_record(struct spf_eval *e, struct str domain, struct str *text)
{
	struct lookup_answer answer;
	size_t n = 0;

	find(e, DNS_TXT, domain, &answer);
	if (answer.status == DNS_TEMPFAIL) {
		e->reason = "the DNS does not answer";
		return MATCH_TEMPERROR;
	}
	for (size_t i = 0; i < answer.n; i++) {
		if (!spf_record_is(answer.v[i]))
			continue;
		*text = answer.v[i];
		n++;
	}
	if (n > 1)
		return permerror(e, "more than one record");
	return n ? MATCH_YES : MATCH_NO;
}

static enum spf_result check_host(struct spf_eval *e, struct str domain, bool included)
{
	struct spf_record record;
	struct str text;

	if (!is_domain(domain))
		return SPF_NONE;
	switch (find_record(e, domain, &text)) {
	case MATCH_NO:
		return SPF_NONE;
	case MATCH_TEMPERROR:
		return SPF_TEMPERROR;
	case MATCH_PERMERROR:
		return SPF_PERMERROR;
	default:
		break;
	}
	if (spf_record_parse(text, e->arena, &record) < 0) {
		e->reason = "the record has a syntax error";
		return SPF_PERMERROR;
	}
	return evaluate(e, &record, domain, included);
}

/* IPv4 in IPv6 is IPv4 (RFC 7208 5). */
static struct str plain_address(struct str address)
{
	static const char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (char)0xff, (char)0xff };

	if (address.n == 16 && memcmp(address.p, mapped, sizeof(mapped)) == 0)
		return str_skip(address, sizeof(mapped));
	return address;
}

static int run(const struct lookup *dns, const struct spf_question *q, struct str sender,
	       struct arena *a, struct spf_answer *out)
{
	struct spf_eval e = {
		.dns = dns, .q = q, .arena = a, .address = plain_address(q->address)
	};
	ssize_t at = str_rfind_byte(sender, '@');

	/* RFC 7208 4.3 */
	e.host = str_skip(sender, (size_t)(at + 1));
	e.local = at > 0 ? str_sub(sender, 0, (size_t)at) : STR("postmaster");
	e.sender = arena_printf(a, "%" STR_FMT "@%" STR_FMT, STR_ARG(e.local), STR_ARG(e.host));
	out->domain = e.host;
	out->result = check_host(&e, e.host, false);
	out->mechanism = e.mechanism;
	out->explanation = out->result == SPF_FAIL ? e.explanation : STR_NONE;
	out->reason =
		out->result == SPF_TEMPERROR || out->result == SPF_PERMERROR ? e.reason : NULL;
	return e.canceled ? -ECANCELED : 0;
}

int spf_check_helo(const struct lookup *dns, const struct spf_question *q, struct arena *a,
		   struct spf_answer *out)
{
	*out = (struct spf_answer){ .by_helo = true };
	return run(dns, q, q->helo, a, out);
}

int spf_check_sender(const struct lookup *dns, const struct spf_question *q, struct arena *a,
		     struct spf_answer *out)
{
	*out = (struct spf_answer){ .by_helo = !q->sender.n };
	return run(dns, q, q->sender.n ? q->sender : q->helo, a, out);
}
