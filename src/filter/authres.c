#include "filter/authres.h"

#include "filter/arc.h"
#include "filter/dkim_verify.h"
#include "filter/dmarc.h"
#include "filter/spf.h"

#define VALUE_MAX 256

/* A value as it is, or as a quoted string: what it holds came from a peer. */
static void put_value(struct buf *out, struct str s)
{
	bool plain = s.n > 0;

	s = str_sub(s, 0, VALUE_MAX);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		plain &= ascii_is_alnum(c) || (c && strchr("-._@+/=", c));
	}
	if (plain) {
		buf_put_str(out, s);
		return;
	}
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			buf_putc(out, '\\');
		buf_putc(out, c < ' ' || c == 0x7f ? '?' : (char)c);
	}
	buf_putc(out, '"');
}

static void put_property(struct buf *out, const char *name, struct str value)
{
	if (!value.n)
		return;
	buf_printf(out, " %s=", name);
	put_value(out, value);
}

static const char *algorithm(const struct dkim_signature *s)
{
	static const char *const names[] = {
		[DKIM_RSA_SHA256] = "rsa-sha256",
		[DKIM_ED25519_SHA256] = "ed25519-sha256",
		[DKIM_RSA_SHA1] = "rsa-sha1",
	};

	return names[s->algorithm];
}

static void put_signature(struct buf *out, const struct dkim_signature *s)
{
	buf_printf(out, ";\r\n\tdkim=%s", dkim_result_name(s->result));
	if (s->reason)
		buf_printf(out, " reason=\"%s\"", s->reason);
	else if (s->bits)
		buf_printf(out, " (%u-bit key%s)", s->bits, s->testing ? ", testing" : "");
	put_property(out, "header.d", s->domain);
	put_property(out, "header.s", s->selector);
	/* RFC 8601 2.7.1: d= and s= may be missing in what cannot be read; all else is then too. */
	if (!s->key_name.n)
		return;
	buf_printf(out, " header.a=%s", algorithm(s));
	/* RFC 6008: enough of it to tell signatures apart. */
	put_property(out, "header.b", str_sub(s->b, 0, 8));
}

static void put_spf(struct buf *out, const struct spf_answer *s)
{
	buf_printf(out, ";\r\n\tspf=%s", spf_result_name(s->result));
	if (s->reason)
		buf_printf(out, " reason=\"%s\"", s->reason);
	put_property(out, s->by_helo ? "smtp.helo" : "smtp.mailfrom", s->domain);
}

const char *authres_iprev_name(enum filter_iprev r)
{
	static const char *const names[FILTER_IPREVS] = {
		[FILTER_IPREV_NONE] = "none",		[FILTER_IPREV_PASS] = "pass",
		[FILTER_IPREV_FAIL] = "fail",		[FILTER_IPREV_TEMPERROR] = "temperror",
		[FILTER_IPREV_PERMERROR] = "permerror",
	};

	return r < FILTER_IPREVS ? names[r] : names[FILTER_IPREV_NONE];
}

/* A name as the DNS has it may hold any byte; one that would end the comment is not shown. */
static bool is_plain(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (!ascii_is_alnum(c) && !(c && strchr("-._", c)))
			return false;
	}
	return name.n > 0;
}

/* RFC 8601 2.7.3 */
static void put_iprev(struct buf *out, const struct authres *r)
{
	buf_printf(out, ";\r\n\tiprev=%s", authres_iprev_name(r->iprev));
	put_property(out, "policy.iprev", r->client_address);
	if (is_plain(r->client_name) && r->iprev == FILTER_IPREV_PASS)
		buf_printf(out, " (%" STR_FMT ")", STR_ARG(r->client_name));
}

void authres_write(struct buf *out, const struct authres *r)
{
	buf_put_str(out, r->server);
	for (size_t i = 0; i < r->dkim->n; i++)
		put_signature(out, &r->dkim->v[i]);
	if (!r->dkim->n)
		buf_puts(out, ";\r\n\tdkim=none");
	if (r->spf)
		put_spf(out, r->spf);
	if (r->arc && r->arc->result != ARC_NONE) {
		buf_printf(out, ";\r\n\tarc=%s", arc_result_name(r->arc->result));
		if (r->arc->reason)
			buf_printf(out, " reason=\"%s\"", r->arc->reason);
		else
			buf_printf(out, " (i=%zu)", r->arc->n);
		/* RFC 8617 10.2: behind us nobody knows it. */
		put_property(out, "smtp.remote-ip", r->client_address);
	}
	if (r->dmarc) {
		buf_printf(out, ";\r\n\tdmarc=%s", dmarc_result_name(r->dmarc->result));
		if (r->dmarc->result != DMARC_NONE && r->dmarc->domain.n)
			buf_printf(out, " (p=%s dis=%s)", dmarc_policy_name(r->dmarc->policy),
				   dmarc_policy_name(r->dmarc->disposition));
		put_property(out, "header.from", r->author_domain);
	}
	if (r->iprev != FILTER_IPREV_NONE)
		put_iprev(out, r);
}
