#include "filter/dkim_verify.h"

#include <errno.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "filter/dkim_keys.h"
#include "filter/dkim_tag.h"
#include "mime/header.h"

/* Records at one name that are tried. RFC 6376 3.6.2.2 leaves more than one undefined. */
#define RECORDS_MAX 3

/* How far clocks may differ. */
#define CLOCK_SKEW 3600

#define DOMAIN_MAX 255

const char *dkim_result_name(enum dkim_result r)
{
	static const char *const names[] = {
		[DKIM_NONE] = "none",		[DKIM_PASS] = "pass",
		[DKIM_FAIL] = "fail",		[DKIM_POLICY] = "policy",
		[DKIM_NEUTRAL] = "neutral",	[DKIM_TEMPERROR] = "temperror",
		[DKIM_PERMERROR] = "permerror",
	};

	check((size_t)r < ARRAY_LEN(names));
	return names[r];
}

static bool decide(struct dkim_signature *s, enum dkim_result result, const char *reason)
{
	s->result = result;
	s->reason = reason;
	return false;
}

/* Letters, digits, hyphens, underscores and UTF-8 between dots: what may become a question. */
static bool is_domain(struct str s)
{
	char before = '.';

	if (!s.n || s.n > DOMAIN_MAX || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '.' ? before == '.'
			     : !ascii_is_alnum(c) && c != '-' && c != '_' && c < 0x80)
			return false;
		before = (char)c;
	}
	return true;
}

/* Is `name` the domain or below it? */
static bool is_below(struct str name, struct str domain)
{
	return str_eq_nocase(name, domain) ||
	       (name.n > domain.n && name.p[name.n - domain.n - 1] == '.' &&
		str_ends_nocase(name, domain));
}

static bool read_algorithm(struct dkim_signature *s, struct str a)
{
	if (str_eq(a, STR("rsa-sha256")))
		s->algorithm = DKIM_RSA_SHA256;
	else if (str_eq(a, STR("ed25519-sha256")))
		s->algorithm = DKIM_ED25519_SHA256;
	else if (str_eq(a, STR("rsa-sha1")))
		s->algorithm = DKIM_RSA_SHA1;
	else
		return decide(s, DKIM_NEUTRAL, "unknown algorithm");
	return true;
}

static bool canon_word(struct str word, enum dkim_canon *out)
{
	*out = str_eq(word, STR("relaxed")) ? DKIM_RELAXED : DKIM_SIMPLE;
	return *out == DKIM_RELAXED || str_eq(word, STR("simple"));
}

static bool read_canon(struct dkim_signature *s, struct str c)
{
	struct str header = c, body = STR("simple");

	s->header = s->body = DKIM_SIMPLE;
	if (!c.n)
		return true;
	str_cut(c, '/', &header, &body);
	if (!body.n)
		body = STR("simple");
	return (canon_word(header, &s->header) && canon_word(body, &s->body)) ||
	       decide(s, DKIM_NEUTRAL, "unknown canonicalization");
}

/* A number of at most 12 digits (RFC 6376 3.5), or `none` when there is no such tag. */
static bool read_number(const struct dkim_tags *tags, struct str name, uint64_t none, uint64_t *out)
{
	const struct dkim_tag *t = dkim_tags_find(tags, name);

	*out = none;
	return !t || str_to_u64(t->value, 999999999999, out) == 0;
}

static bool decode(struct str base64, struct arena *a, struct str *compact, struct str *bytes)
{
	struct buf text, raw;

	buf_init(&text, a, 2 * DKIM_SIGNATURE_MAX);
	buf_init(&raw, a, 2 * DKIM_SIGNATURE_MAX);
	dkim_tag_compact(&text, base64);
	if (!text.n || buf_failed(&text) || base64_parse(buf_str(&text), &raw) < 0)
		return false;
	*compact = buf_str(&text);
	*bytes = buf_str(&raw);
	return true;
}

static bool has_from(struct str names)
{
	struct str name;

	while (dkim_tag_next(&names, ':', &name))
		if (str_eq_nocase(name, STR("from")))
			return true;
	return false;
}

static bool read_identity(struct dkim_signature *s, const struct dkim_tags *tags)
{
	const struct dkim_tag *i = dkim_tags_find(tags, STR("i"));

	s->identity = i ? i->value : STR_NONE;
	if (!i)
		return true;
	ssize_t at = str_rfind_byte(i->value, '@');
	if (at < 0)
		return decide(s, DKIM_NEUTRAL, "i= is no address");
	return is_below(str_skip(i->value, (size_t)at + 1), s->domain) ||
	       decide(s, DKIM_PERMERROR, "i= is not below d=");
}

static bool check_times(struct dkim_signature *s, const struct dkim_tags *tags, int64_t now)
{
	uint64_t t, x;

	if (!read_number(tags, STR("t"), 0, &t) || !read_number(tags, STR("x"), UINT64_MAX, &x))
		return decide(s, DKIM_NEUTRAL, "t= or x= is no time");
	if (x <= t)
		return decide(s, DKIM_PERMERROR, "x= is before t=");
	if (x != UINT64_MAX && (uint64_t)now > x)
		return decide(s, DKIM_POLICY, "signature has expired");
	return t <= (uint64_t)now + CLOCK_SKEW ||
	       decide(s, DKIM_POLICY, "signature is from the future");
}

static bool read_names(struct dkim_signature *s, const struct dkim_tags *tags, enum dkim_kind kind)
{
	s->domain = dkim_tags_value(tags, STR("d"));
	s->selector = dkim_tags_value(tags, STR("s"));
	s->names = dkim_tags_value(tags, STR("h"));
	if (!is_domain(s->domain) || !is_domain(s->selector))
		return decide(s, DKIM_NEUTRAL, "d= or s= is no name");
	if (kind == DKIM_ARC_SEAL)
		return !s->names.n || decide(s, DKIM_PERMERROR, "h= in a seal");
	if (!s->names.n)
		return decide(s, DKIM_PERMERROR, "h= is missing");
	return has_from(s->names) || decide(s, DKIM_PERMERROR, "From is not signed");
}

/* What an ARC-Seal does not have. */
static bool read_body_tags(struct dkim_verifier *v, struct dkim_signature *s,
			   const struct dkim_tags *tags)
{
	struct str ignored;

	if (!read_canon(s, dkim_tags_value(tags, STR("c"))))
		return false;
	if (!read_number(tags, STR("l"), DKIM_WHOLE_BODY, &s->limit))
		return decide(s, DKIM_NEUTRAL, "l= is no number");
	return decode(dkim_tags_value(tags, STR("bh")), v->arena, &ignored, &s->bh) ||
	       decide(s, DKIM_NEUTRAL, "bh= is no base64");
}

static bool read_own_tags(struct dkim_signature *s, const struct dkim_tags *tags)
{
	struct str q = dkim_tags_value(tags, STR("q"));

	if (!read_identity(s, tags))
		return false;
	return !q.n || dkim_tag_has(q, ':', STR("dns/txt")) ||
	       decide(s, DKIM_PERMERROR, "unknown query method");
}

/* Everything that does not need the body or the key. False when it is decided. */
static bool read_tags(struct dkim_verifier *v, struct dkim_signature *s,
		      const struct dkim_tags *tags, enum dkim_kind kind)
{
	if (kind == DKIM_SIGNATURE && !str_eq(dkim_tags_value(tags, STR("v")), STR("1")))
		return decide(s, DKIM_NEUTRAL, "unknown version");
	if (!read_names(s, tags, kind) || !read_algorithm(s, dkim_tags_value(tags, STR("a"))))
		return false;
	if (kind == DKIM_SIGNATURE && !read_own_tags(s, tags))
		return false;
	if (kind != DKIM_ARC_SEAL && !read_body_tags(v, s, tags))
		return false;
	if (!decode(dkim_tags_value(tags, STR("b")), v->arena, &s->b, &s->bytes))
		return decide(s, DKIM_NEUTRAL, "b= is no base64");
	if (s->algorithm == DKIM_RSA_SHA1)
		return decide(s, DKIM_POLICY, "rsa-sha1 is not accepted any more");
	return check_times(s, tags, v->now);
}

void dkim_verify_read(struct dkim_verifier *v, const struct mime_field *f, enum dkim_kind kind,
		      struct dkim_signature *s)
{
	struct dkim_tags tags;
	struct str whole = str_chomp(f->whole);

	*s = (struct dkim_signature){ .limit = DKIM_WHOLE_BODY };
	if (dkim_tags_parse(f->value, &tags) < 0) {
		decide(s, DKIM_NEUTRAL, "syntax error");
		return;
	}
	if (!read_tags(v, s, &tags, kind))
		return;
	s->unsigned_field = dkim_without(whole, dkim_tags_find(&tags, STR("b"))->raw, v->arena);
	s->key_name = arena_printf(v->arena, "%" STR_FMT "._domainkey.%" STR_FMT,
				   STR_ARG(s->selector), STR_ARG(s->domain));
	if (kind == DKIM_ARC_SEAL)
		return;
	s->hash = dkim_hashes_add(&v->hashes, s->body, s->limit, v->arena);
	if (s->hash < 0)
		decide(s, DKIM_POLICY, "too many signatures");
}

int dkim_verify_begin(struct dkim_verifier *v, struct str header, int64_t now, struct arena *a)
{
	*v = (struct dkim_verifier){ .arena = a, .now = now };
	int r = dkim_fields_parse(header, a, &v->fields);
	if (r < 0)
		return r;
	for (size_t i = 0; i < v->fields.n; i++) {
		if (!str_eq_nocase(v->fields.v[i].name, STR("DKIM-Signature")))
			continue;
		if (v->n < DKIM_SIGNATURES_MAX)
			dkim_verify_read(v, &v->fields.v[i], DKIM_SIGNATURE, &v->v[v->n++]);
		else
			v->ignored++;
	}
	return 0;
}

void dkim_verify_body(struct dkim_verifier *v, struct str piece)
{
	dkim_hashes_feed(&v->hashes, piece);
}

void dkim_verify_body_hash(const struct dkim_verifier *v, struct dkim_signature *s)
{
	if (s->result != DKIM_NONE)
		return;
	const struct dkim_body_hash *h = v->hashes.v[s->hash];

	if (s->limit != DKIM_WHOLE_BODY && h->length < s->limit)
		decide(s, DKIM_PERMERROR, "l= is more than there is");
	else if (!str_eq(s->bh, str_of(h->digest, sizeof(h->digest))))
		decide(s, DKIM_FAIL, "body hash differs");
	/* RFC 6376 8.2: whoever passes the message on may add what he likes behind it, and that may
	 * be all that the reader sees. */
	else if (h->length > s->limit)
		decide(s, DKIM_POLICY, "l= leaves a part of the body unsigned");
}

void dkim_verify_body_end(struct dkim_verifier *v)
{
	dkim_hashes_end(&v->hashes);
	for (size_t i = 0; i < v->n; i++)
		dkim_verify_body_hash(v, &v->v[i]);
}

static int digest_of(struct dkim_verifier *v, const struct dkim_signature *s,
		     unsigned char digest[DKIM_HASH_SIZE])
{
	struct dkim_header_spec spec = { s->header, s->names, s->unsigned_field };

	if (!s->chain_count)
		return dkim_header_digest(&v->fields, &spec, digest);
	dkim_chain_digest(s->chain, s->chain_count, digest);
	return 0;
}

static void check_key(struct dkim_verifier *v, struct dkim_signature *s,
		      const struct dkim_public_key *key)
{
	unsigned char digest[DKIM_HASH_SIZE];
	ssize_t at = str_rfind_byte(s->identity, '@');

	s->bits = key->bits;
	s->testing = key->testing;
	if (key->algorithm != s->algorithm)
		decide(s, DKIM_PERMERROR, "key is of another type");
	else if (key->strict && at >= 0 &&
		 !str_eq_nocase(str_skip(s->identity, (size_t)at + 1), s->domain))
		decide(s, DKIM_PERMERROR, "key does not allow subdomains in i=");
	else if (key->algorithm == DKIM_RSA_SHA256 && key->bits < DKIM_RSA_BITS_MIN)
		decide(s, DKIM_POLICY, "key is too small");
	else if (key->bits > DKIM_RSA_BITS_MAX)
		decide(s, DKIM_POLICY, "key is too large");
	else if (digest_of(v, s, digest) < 0)
		decide(s, DKIM_PERMERROR, "too many names in h=");
	else if (!dkim_public_key_verify(key, digest, s->bytes))
		decide(s, DKIM_FAIL, "signature does not match");
	else
		decide(s, DKIM_PASS, NULL);
}

static void try_record(struct dkim_verifier *v, struct dkim_signature *s, struct str record)
{
	const struct dkim_public_key *key;
	struct dkim_public_key own;
	const char *reason;
	int r;

	if (v->keys) {
		r = dkim_keys_find(v->keys, record, &key, &reason);
	} else {
		r = dkim_public_key_parse(record, &own, &reason);
		key = &own;
	}
	if (r < 0)
		decide(s, DKIM_PERMERROR, reason);
	else
		check_key(v, s, key);
	if (!v->keys)
		dkim_public_key_done(&own);
}

void dkim_verify_key(struct dkim_verifier *v, struct dkim_signature *s, const struct str *records,
		     size_t count)
{
	check(v->hashes.ended);
	if (s->result != DKIM_NONE)
		return;
	decide(s, DKIM_PERMERROR, "no key");
	for (size_t i = 0; i < count && i < RECORDS_MAX && s->result != DKIM_PASS; i++)
		try_record(v, s, records[i]);
}

void dkim_verify_done(struct dkim_verifier *v)
{
	dkim_hashes_done(&v->hashes);
}
