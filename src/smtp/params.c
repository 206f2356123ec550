#include "smtp/params.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/utf8.h"
#include "smtp/xtext.h"

#define REPLY_SYNTAX	  "501 5.5.4 Error: bad parameter syntax"
#define REPLY_REPEATED	  "501 5.5.4 Error: parameter given twice"
#define REPLY_UNSUPPORTED "555 5.5.4 Error: unsupported option"
#define REPLY_NO_DSN	  "501 5.7.1 DSN support is disabled"

struct param {
	struct str key, value;
	bool has_value;
};

/* One row per parameter: `set` puts its value into the struct behind `out` and returns NULL or a
 * reply. */
struct param_rule {
	struct str key;
	unsigned extension; /* 0: always offered */
	const char *(*set)(const struct param *p, struct arena *a, void *out);
};

static bool is_keyword(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alnum((unsigned char)s.p[i]) && (s.p[i] != '-' || i == 0))
			return false;
	return s.n > 0;
}

/* esmtp-value of RFC 5321 4.1.2, but for "=", which careless clients leave in addresses. */
static bool is_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.n > 0 && utf8_is_valid(s);
}

static bool split_param(struct str word, struct param *out)
{
	out->has_value = str_cut(word, '=', &out->key, &out->value);
	return is_keyword(out->key) && (!out->has_value || is_value(out->value));
}

static const struct param_rule *find_rule(const struct param_rule *rules, struct str key)
{
	for (; rules->set; rules++)
		if (str_eq_nocase(rules->key, key))
			return rules;
	return NULL;
}

static const char *parse_params(const struct param_rule *rules, struct str text,
				unsigned extensions, struct arena *a, void *out)
{
	unsigned seen = 0;
	struct str word;
	while (str_next_word(&text, &word)) {
		struct param p;
		if (!split_param(word, &p))
			return REPLY_SYNTAX;
		const struct param_rule *rule = find_rule(rules, p.key);
		if (!rule)
			return REPLY_UNSUPPORTED;
		if (rule->extension & ~extensions)
			return rule->extension == SMTP_EXTENSION_DSN ? REPLY_NO_DSN
								     : REPLY_UNSUPPORTED;
		unsigned bit = 1U << (rule - rules);
		if (seen & bit)
			return REPLY_REPEATED;
		seen |= bit;
		const char *refusal = rule->set(&p, a, out);
		if (refusal)
			return refusal;
	}
	return NULL;
}

/* The meaning of valid xtext. */
static struct str decode(struct str text, struct arena *a)
{
	struct buf b;
	buf_init(&b, a, text.n);
	int r = smtp_xtext_parse(text, &b);
	check(r == 0 && !buf_failed(&b));
	return buf_str(&b);
}

static const char *set_size(const struct param *p, struct arena *a, void *out)
{
	(void)a;
	struct smtp_mail_params *m = out;
	/* RFC 1870 3: up to 20 digits, which is more than fits. */
	int r = p->value.n > 20 ? -EINVAL : str_to_u64(p->value, UINT64_MAX, &m->size);
	if (r == -ERANGE)
		m->size = UINT64_MAX;
	return r < 0 && r != -ERANGE ? "501 5.5.4 Bad message size syntax" : NULL;
}

static const char *set_body(const struct param *p, struct arena *a, void *out)
{
	(void)a;
	struct smtp_mail_params *m = out;
	if (str_eq_nocase(p->value, STR("8BITMIME")))
		m->flags |= ENVELOPE_8BITMIME;
	else if (str_eq_nocase(p->value, STR("BINARYMIME")))
		m->flags |= ENVELOPE_BINARYMIME;
	else if (!str_eq_nocase(p->value, STR("7BIT")))
		return "501 5.5.4 Bad BODY parameter";
	return NULL;
}

static const char *set_smtputf8(const struct param *p, struct arena *a, void *out)
{
	(void)a;
	struct smtp_mail_params *m = out;
	m->flags |= ENVELOPE_SMTPUTF8;
	return p->has_value ? REPLY_SYNTAX : NULL;
}

static const char *set_requiretls(const struct param *p, struct arena *a, void *out)
{
	(void)a;
	struct smtp_mail_params *m = out;
	m->flags |= ENVELOPE_REQUIRETLS;
	return p->has_value ? REPLY_SYNTAX : NULL;
}

/* RFC 6710 4.1: one digit, perhaps with a minus. */
static const char *set_priority(const struct param *p, struct arena *a, void *out)
{
	(void)a;
	struct smtp_mail_params *m = out;
	bool minus = str_starts(p->value, STR("-"));
	struct str digit = str_skip(p->value, minus);

	if (digit.n != 1 || !ascii_is_digit((unsigned char)digit.p[0]))
		return "501 5.5.2 Error: bad MT-PRIORITY value";
	int priority = digit.p[0] - '0';
	m->flags |= envelope_priority_flags(minus ? -priority : priority);
	return NULL;
}

/* RFC 4954 5: an address, or <> where nobody knows. */
static const char *set_auth(const struct param *p, struct arena *a, void *out)
{
	struct smtp_mail_params *m = out;

	if (!smtp_xtext_is_printable(p->value) || !p->value.n || p->value.n > SMTP_ORCPT_MAX)
		return REPLY_SYNTAX;
	if (!str_eq(p->value, STR("<>")))
		m->auth = decode(p->value, a);
	return NULL;
}

static const char *set_ret(const struct param *p, struct arena *a, void *out)
{
	(void)a;
	struct smtp_mail_params *m = out;
	if (str_eq_nocase(p->value, STR("FULL")))
		m->flags |= ENVELOPE_RET_FULL;
	else if (str_eq_nocase(p->value, STR("HDRS")))
		m->flags |= ENVELOPE_RET_HDRS;
	else
		return "501 5.5.4 Bad RET parameter syntax";
	return NULL;
}

static const char *set_envid(const struct param *p, struct arena *a, void *out)
{
	struct smtp_mail_params *m = out;
	if (!p->value.n || p->value.n > SMTP_ENVID_MAX || !smtp_xtext_is_printable(p->value))
		return "501 5.5.4 Bad ENVID parameter syntax";
	m->envid = decode(p->value, a);
	return NULL;
}

static unsigned notify_bit(struct str word)
{
	static const struct {
		struct str word;
		unsigned bit;
	} words[] = {
		{ STR_INIT("NEVER"), ENVELOPE_NOTIFY_NEVER },
		{ STR_INIT("SUCCESS"), ENVELOPE_NOTIFY_SUCCESS },
		{ STR_INIT("FAILURE"), ENVELOPE_NOTIFY_FAILURE },
		{ STR_INIT("DELAY"), ENVELOPE_NOTIFY_DELAY },
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_nocase(words[i].word, word))
			return words[i].bit;
	return 0;
}

/* RFC 3461 4.1: NEVER alone, or a list of the others. */
static const char *set_notify(const struct param *p, struct arena *a, void *out)
{
	(void)a;
	struct smtp_rcpt_params *r = out;
	struct str word, rest = p->value;
	bool more;
	do {
		more = str_cut(rest, ',', &word, &rest);
		unsigned bit = notify_bit(word);
		bool alone = (bit | r->notify) == ENVELOPE_NOTIFY_NEVER;
		if (!bit || (((bit | r->notify) & ENVELOPE_NOTIFY_NEVER) && !alone))
			return "501 5.5.4 Error: Bad NOTIFY parameter syntax";
		r->notify |= bit;
	} while (more);
	return NULL;
}

/* RFC 3461 4.2: an address type and xtext. RFC 6533 3: the type "utf-8" carries UTF-8 as it is. */
static const char *set_orcpt(const struct param *p, struct arena *a, void *out)
{
	struct smtp_rcpt_params *r = out;
	struct str type, address;
	bool ok = p->value.n <= SMTP_ORCPT_MAX && str_cut(p->value, ';', &type, &address) &&
		  is_keyword(type) && address.n;
	bool utf8 = ok && str_eq_nocase(type, STR("utf-8"));
	if (!ok || !(utf8 || smtp_xtext_is_printable(address)))
		return "501 5.5.4 Error: Bad ORCPT parameter syntax";
	if (!utf8)
		address = decode(address, a);
	r->orcpt = arena_printf(a, "%" STR_FMT ";%" STR_FMT, STR_ARG(type), STR_ARG(address));
	return NULL;
}

const char *smtp_mail_params_parse(struct str text, unsigned extensions, struct arena *a,
				   struct smtp_mail_params *out)
{
	static const struct param_rule rules[] = {
		{ STR_INIT("SIZE"), 0, set_size },
		{ STR_INIT("BODY"), 0, set_body },
		{ STR_INIT("SMTPUTF8"), 0, set_smtputf8 },
		{ STR_INIT("AUTH"), SMTP_EXTENSION_AUTH, set_auth },
		{ STR_INIT("RET"), SMTP_EXTENSION_DSN, set_ret },
		{ STR_INIT("ENVID"), SMTP_EXTENSION_DSN, set_envid },
		{ STR_INIT("REQUIRETLS"), SMTP_EXTENSION_REQUIRETLS, set_requiretls },
		{ STR_INIT("MT-PRIORITY"), SMTP_EXTENSION_PRIORITY, set_priority },
		{ .key = STR_NONE },
	};
	struct smtp_mail_params m = { 0 };
	const char *refusal = parse_params(rules, text, extensions, a, &m);
	if (!refusal)
		*out = m;
	return refusal;
}

const char *smtp_rcpt_params_parse(struct str text, unsigned extensions, struct arena *a,
				   struct smtp_rcpt_params *out)
{
	static const struct param_rule rules[] = {
		{ STR_INIT("NOTIFY"), SMTP_EXTENSION_DSN, set_notify },
		{ STR_INIT("ORCPT"), SMTP_EXTENSION_DSN, set_orcpt },
		{ .key = STR_NONE },
	};
	struct smtp_rcpt_params r = { 0 };
	const char *refusal = parse_params(rules, text, extensions, a, &r);
	if (!refusal)
		*out = r;
	return refusal;
}
