#include "filter/arc.h"

#include "base/arena.h"
#include "filter/dkim_tag.h"
#include "mime/header.h"
#include "mime/lex.h"

/* The three fields of one server. */
enum part {
	PART_RESULTS,
	PART_MESSAGE,
	PART_SEAL,
	PARTS
};

struct set {
	const struct mime_field *parts[PARTS];
};

static const struct str part_names[PARTS] = {
	[PART_RESULTS] = STR_INIT("ARC-Authentication-Results"),
	[PART_MESSAGE] = STR_INIT("ARC-Message-Signature"),
	[PART_SEAL] = STR_INIT("ARC-Seal"),
};

const char *arc_result_name(enum arc_result r)
{
	static const char *const names[] = {
		[ARC_NONE] = "none", [ARC_PASS] = "pass", [ARC_FAIL] = "fail"
	};

	check((size_t)r < ARRAY_LEN(names));
	return names[r];
}

/* The first reason counts. */
static bool fail(struct arc_chain *c, const char *reason)
{
	if (c->result != ARC_FAIL)
		c->reason = reason;
	c->result = ARC_FAIL;
	return false;
}

/* The number of a set, or 0. In results it is the first thing, in the others a tag like any. */
static size_t instance_of(const struct mime_field *f, enum part part)
{
	struct dkim_tags tags;
	struct str first, rest, name, value;
	uint64_t i;

	if (part == PART_RESULTS) {
		str_cut(f->value, ';', &first, &rest);
		str_cut(first, '=', &name, &value);
		if (!str_eq(str_trim(name), STR("i")))
			return 0;
	} else {
		if (dkim_tags_parse(f->value, &tags) < 0)
			return 0;
		value = dkim_tags_value(&tags, STR("i"));
	}
	return str_to_u64(str_trim(value), ARC_SETS_MAX, &i) < 0 ? 0 : (size_t)i;
}

static void add_part(struct arc_chain *c, struct set *sets, const struct mime_field *f,
		     enum part part)
{
	size_t i = instance_of(f, part);

	if (i > c->highest)
		c->highest = i;
	if (!i)
		fail(c, "a field has no number");
	else if (sets[i - 1].parts[part])
		fail(c, "a field is there twice");
	else
		sets[i - 1].parts[part] = f;
}

/* False when there is no chain, or one that cannot be right. */
static bool collect(struct arc_chain *c, const struct dkim_fields *fields, struct set *sets)
{
	for (size_t i = 0; i < fields->n; i++)
		for (size_t part = 0; part < PARTS; part++)
			if (str_eq_nocase(fields->v[i].name, part_names[part]))
				add_part(c, sets, &fields->v[i], part);
	for (size_t i = 0; i < c->highest; i++)
		for (size_t part = 0; part < PARTS; part++)
			if (!sets[i].parts[part])
				fail(c, "a field is missing");
	return c->highest > 0 && c->result != ARC_FAIL;
}

/* RFC 8617 5.1, step 2. */
static bool has_ended(const struct arc_chain *c, const struct set *sets)
{
	const struct mime_field *seal = c->highest ? sets[c->highest - 1].parts[PART_SEAL] : NULL;
	struct dkim_tags tags;

	return seal && dkim_tags_parse(seal->value, &tags) == 0 &&
	       str_eq_nocase(dkim_tags_value(&tags, STR("cv")), STR("fail"));
}

/* RFC 8617 5.2: what each server has found before it. */
static bool check_verdicts(struct arc_chain *c, const struct set *sets)
{
	struct dkim_tags tags;

	for (size_t i = 0; i < c->highest; i++) {
		if (dkim_tags_parse(sets[i].parts[PART_SEAL]->value, &tags) < 0)
			return fail(c, "a seal has a syntax error");
		struct str cv = dkim_tags_value(&tags, STR("cv"));
		if (str_eq_nocase(cv, STR("fail")))
			return fail(c, "it had failed before");
		if (!str_eq_nocase(cv, i ? STR("pass") : STR("none")))
			return fail(c, "cv= is wrong");
	}
	return true;
}

/* RFC 8617 5.1.1: a seal signs all sets up to its own. */
static void read_seals(struct arc_chain *c, struct dkim_verifier *v, const struct set *sets)
{
	for (size_t k = 0; k < PARTS * c->n; k++)
		c->fields[k] = str_chomp(sets[k / PARTS].parts[k % PARTS]->whole);
	for (size_t i = 0; i < c->n; i++) {
		struct dkim_signature *s = &c->seals[i];
		struct str *chain = ARENA_NEW_ARRAY(v->arena, struct str, PARTS * (i + 1));
		dkim_verify_read(v, sets[i].parts[PART_SEAL], DKIM_ARC_SEAL, s);
		memcpy(chain, c->fields, PARTS * (i + 1) * sizeof(chain[0]));
		chain[PARTS * (i + 1) - 1] = s->unsigned_field;
		s->chain = chain;
		s->chain_count = PARTS * (i + 1);
	}
}

void arc_begin(struct arc_chain *c, struct dkim_verifier *v)
{
	struct set *sets = ARENA_NEW_ARRAY(v->arena, struct set, ARC_SETS_MAX);

	*c = (struct arc_chain){ .result = ARC_NONE };
	bool whole = collect(c, &v->fields, sets) && check_verdicts(c, sets);
	c->ended = has_ended(c, sets);
	if (!whole)
		return;
	c->n = c->highest;
	c->fields = ARENA_NEW_ARRAY(v->arena, struct str, PARTS * c->n);
	c->seals = ARENA_NEW_ARRAY(v->arena, struct dkim_signature, c->n);
	c->first_results = sets[0].parts[PART_RESULTS]->value;
	dkim_verify_read(v, sets[c->n - 1].parts[PART_MESSAGE], DKIM_ARC_MESSAGE, &c->message);
	read_seals(c, v, sets);
}

void arc_body_end(struct arc_chain *c, const struct dkim_verifier *v)
{
	if (c->n)
		dkim_verify_body_hash(v, &c->message);
}

struct dkim_signature *arc_signature(struct arc_chain *c, size_t i)
{
	if (!c->n || i > c->n)
		return NULL;
	return i ? &c->seals[i - 1] : &c->message;
}

void arc_end(struct arc_chain *c)
{
	struct dkim_signature *s;

	if (!c->n)
		return;
	c->result = ARC_PASS;
	c->undecided = false;
	bool fails = false;
	for (size_t i = 0; (s = arc_signature(c, i)); i++) {
		if (s->result != DKIM_PASS)
			fail(c, s->reason ? s->reason : "a key is missing");
		c->undecided |= s->result == DKIM_TEMPERROR;
		fails |= s->result != DKIM_PASS && s->result != DKIM_TEMPERROR;
	}
	c->undecided &= !fails;
}

size_t arc_next(const struct arc_chain *c)
{
	if (c->ended || c->undecided || c->highest == ARC_SETS_MAX)
		return 0;
	return c->highest + 1;
}

static bool is_trusted(struct str domain, struct str trusted)
{
	struct str word;

	while (str_next_word(&trusted, &word)) {
		struct str rest = word, one;
		while (dkim_tag_next(&rest, ',', &one))
			if (one.n && str_eq_nocase(one, domain))
				return true;
	}
	return false;
}

/* The value of a result of DMARC (RFC 8601 2.2), of a method and what belongs to it; empty for what
 * is of another method. */
static struct str dmarc_result(struct str text)
{
	struct str rest = mime_lex_skip_cfws(text), method = mime_lex_token(rest);

	rest = mime_lex_skip_cfws(str_skip(rest, method.n));
	if (str_starts(rest, STR("/"))) {
		rest = mime_lex_skip_cfws(str_skip(rest, 1));
		rest = mime_lex_skip_cfws(str_skip(rest, mime_lex_token(rest).n));
	}
	if (!str_eq_nocase(method, STR("dmarc")) || !str_starts(rest, STR("=")))
		return STR_NONE;
	return mime_lex_token(mime_lex_skip_cfws(str_skip(rest, 1)));
}

/* Did DMARC pass, and nothing else come of it? Properties and comments hold what the sender chose:
 * MAIL FROM:<dmarc=pass@example.org>. */
static bool has_seen_dmarc_pass(struct str results)
{
	bool passed = false;

	while (results.n) {
		size_t end = mime_lex_find(results, ";");
		struct str result = dmarc_result(str_sub(results, 0, end));
		results = str_skip(results, end + 1);
		if (result.n && !str_eq_nocase(result, STR("pass")))
			return false;
		passed |= result.n > 0;
	}
	return passed;
}

bool arc_vouches(const struct arc_chain *c, struct str trusted)
{
	if (c->result != ARC_PASS || !has_seen_dmarc_pass(c->first_results))
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (!is_trusted(c->seals[i].domain, trusted))
			return false;
	return true;
}
