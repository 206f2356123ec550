#include "filter/spf_record.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/arena.h"

#define VERSION	    STR("v=spf1")
#define ADDRESS_MAX 64

bool spf_record_is(struct str text)
{
	return str_starts_nocase(text, VERSION) &&
	       (text.n == VERSION.n || text.p[VERSION.n] == ' ');
}

static int fixed(struct spf_piece *out, struct str *rest, const char *text)
{
	out->literal = str_from(text);
	*rest = str_skip(*rest, 2);
	return 1;
}

/* What stands between "%{" and "}". */
static int parse_macro(struct str inside, struct spf_piece *out)
{
	size_t i = 1;

	if (!inside.n || !strchr("slodiphcrtv", ascii_lower(inside.p[0])) || !inside.p[0])
		return -EINVAL;
	out->letter = ascii_lower(inside.p[0]);
	out->escape = out->letter != inside.p[0];
	for (; i < inside.n && ascii_is_digit((unsigned char)inside.p[i]); i++)
		if (out->keep < 1000)
			out->keep = out->keep * 10 + (unsigned)(inside.p[i] - '0');
	if (i > 1 && out->keep == 0)
		return -EINVAL;
	if (i < inside.n && ascii_lower(inside.p[i]) == 'r') {
		out->reverse = true;
		i++;
	}
	out->delimiters = str_skip(inside, i);
	for (; i < inside.n; i++)
		if (!inside.p[i] || !strchr(".-+,/_=", inside.p[i]))
			return -EINVAL;
	return 1;
}

int spf_piece_next(struct str *rest, struct spf_piece *out)
{
	*out = (struct spf_piece){ .letter = 0 };
	if (!rest->n)
		return 0;
	ssize_t percent = str_find_byte(*rest, '%');
	if (percent != 0) {
		out->literal = percent < 0 ? *rest : str_sub(*rest, 0, (size_t)percent);
		*rest = str_skip(*rest, out->literal.n);
		return 1;
	}
	switch (rest->n > 1 ? rest->p[1] : 0) {
	case '%':
		return fixed(out, rest, "%");
	case '_':
		return fixed(out, rest, " ");
	case '-':
		return fixed(out, rest, "%20");
	case '{':
		break;
	default:
		return -EINVAL;
	}
	ssize_t end = str_find_byte(*rest, '}');
	if (end < 0)
		return -EINVAL;
	struct str inside = str_sub(*rest, 2, (size_t)end - 2);
	*rest = str_skip(*rest, (size_t)end + 1);
	return parse_macro(inside, out);
}

/* Not all of digits, and hyphens inside only. */
static bool is_top_label(struct str s)
{
	bool only_digits = true;

	if (!s.n || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_alnum((unsigned char)s.p[i]) && s.p[i] != '-')
			return false;
		only_digits &= ascii_is_digit((unsigned char)s.p[i]);
	}
	return !only_digits;
}

/* domain-end: a macro, or a dot and a top label, which may have a dot behind it. */
static bool is_domain_end(struct str literal)
{
	if (str_ends(literal, STR(".")))
		literal.n--;
	ssize_t dot = str_rfind_byte(literal, '.');
	return dot >= 0 && is_top_label(str_skip(literal, (size_t)dot + 1));
}

/* macro-string; `domain`: a domain-spec. Letters that only explanations know are wrong here. */
static bool is_macro_string(struct str s, bool domain)
{
	struct spf_piece p;
	struct str last = STR_NONE;
	bool ends_in_macro = false;
	int r;

	for (struct str rest = s; (r = spf_piece_next(&rest, &p)) > 0;) {
		bool from_text = !p.letter && p.literal.p >= s.p && p.literal.p < s.p + s.n;
		ends_in_macro = !from_text;
		last = p.literal;
		if (p.letter && strchr("crt", p.letter))
			return false;
		for (size_t i = 0; from_text && i < last.n; i++)
			if (last.p[i] < 0x21 || last.p[i] > 0x7e)
				return false;
	}
	if (r < 0)
		return false;
	return !domain || (s.n && (ends_in_macro || is_domain_end(last)));
}

/* A number behind a slash: no leading zeros, at most `max`. */
static bool parse_prefix(struct str digits, unsigned max, uint8_t *out)
{
	uint64_t value;

	if (!digits.n || digits.n > 3 || (digits.n > 1 && digits.p[0] == '0') ||
	    str_to_u64(digits, max, &value) < 0)
		return false;
	*out = (uint8_t)value;
	return true;
}

static size_t trailing_digits(struct str s)
{
	size_t n = 0;

	while (n < s.n && ascii_is_digit((unsigned char)s.p[s.n - 1 - n]))
		n++;
	return n;
}

/* dual-cidr-length at the end of `rest`, which is cut off. */
static bool cut_prefixes(struct str *rest, struct spf_term *t)
{
	size_t n = trailing_digits(*rest);
	struct str before = str_sub(*rest, 0, rest->n - n), digits = str_skip(*rest, before.n);

	if (n && str_ends(before, STR("//"))) {
		if (!parse_prefix(digits, 128, &t->prefix6))
			return false;
		*rest = str_sub(before, 0, before.n - 2);
		n = trailing_digits(*rest);
		before = str_sub(*rest, 0, rest->n - n);
		digits = str_skip(*rest, before.n);
	}
	if (n && str_ends(before, STR("/"))) {
		if (!parse_prefix(digits, 32, &t->prefix4))
			return false;
		*rest = str_sub(before, 0, before.n - 1);
	}
	return true;
}

/* [":" domain-spec], and for `a` and `mx` prefixes behind it. */
static bool parse_target(struct spf_term *t, struct str rest, bool needed)
{
	if ((t->mechanism == SPF_A || t->mechanism == SPF_MX) && !cut_prefixes(&rest, t))
		return false;
	if (!rest.n)
		return !needed;
	t->spec = str_skip(rest, 1);
	return rest.p[0] == ':' && is_macro_string(t->spec, true);
}

static bool parse_network(struct spf_term *t, struct str rest)
{
	char text[ADDRESS_MAX];
	struct str address, digits;
	bool v4 = t->mechanism == SPF_IP4;

	if (!str_starts(rest, STR(":")))
		return false;
	bool has_prefix = str_cut(str_skip(rest, 1), '/', &address, &digits);
	if (has_prefix &&
	    !(v4 ? parse_prefix(digits, 32, &t->prefix4) : parse_prefix(digits, 128, &t->prefix6)))
		return false;
	if (!address.n || address.n >= sizeof(text))
		return false;
	memcpy(text, address.p, address.n);
	text[address.n] = '\0';
	return strlen(text) == address.n &&
	       inet_pton(v4 ? AF_INET : AF_INET6, text, t->network) == 1;
}

static const struct spf_kind {
	struct str name;
	enum spf_mechanism mechanism;
} kinds[] = {
	{ STR_INIT("all"), SPF_ALL }, { STR_INIT("include"), SPF_INCLUDE },
	{ STR_INIT("a"), SPF_A },     { STR_INIT("mx"), SPF_MX },
	{ STR_INIT("ptr"), SPF_PTR }, { STR_INIT("ip4"), SPF_IP4 },
	{ STR_INIT("ip6"), SPF_IP6 }, { STR_INIT("exists"), SPF_EXISTS },
};

static const struct spf_kind *find_kind(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq_nocase(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static bool parse_mechanism(struct spf_term *t, struct str word)
{
	size_t n = 0;

	*t = (struct spf_term){ .qualifier = '+', .prefix4 = 32, .prefix6 = 128, .text = word };
	if (strchr("+-?~", word.p[0])) {
		t->qualifier = word.p[0];
		word = str_skip(word, 1);
	}
	while (n < word.n && word.p[n] != ':' && word.p[n] != '/')
		n++;
	const struct spf_kind *kind = find_kind(str_sub(word, 0, n));
	struct str rest = str_skip(word, n);
	if (!kind)
		return false;
	t->mechanism = kind->mechanism;
	switch (t->mechanism) {
	case SPF_ALL:
		return !rest.n;
	case SPF_IP4:
	case SPF_IP6:
		return parse_network(t, rest);
	case SPF_INCLUDE:
	case SPF_EXISTS:
		return parse_target(t, rest, true);
	default:
		return parse_target(t, rest, false);
	}
}

/* The name before '=', or empty when the word is no modifier. */
static struct str modifier_name(struct str word)
{
	size_t n = 0;

	while (n < word.n &&
	       (ascii_is_alpha((unsigned char)word.p[n]) ||
		(n && (ascii_is_digit((unsigned char)word.p[n]) || strchr("-_.", word.p[n])) &&
		 word.p[n])))
		n++;
	return n && n < word.n && word.p[n] == '=' ? str_sub(word, 0, n) : STR_NONE;
}

static bool set_once(bool *has, struct str *to, struct str value)
{
	if (*has || !is_macro_string(value, true))
		return false;
	*has = true;
	*to = value;
	return true;
}

static bool parse_modifier(struct spf_record *r, struct str name, struct str value)
{
	if (str_eq_nocase(name, STR("redirect")))
		return set_once(&r->has_redirect, &r->redirect, value);
	if (str_eq_nocase(name, STR("exp")))
		return set_once(&r->has_exp, &r->exp, value);
	return is_macro_string(value, false);
}

static size_t count_words(struct str s)
{
	size_t n = 1;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == ' ';
	return n;
}

int spf_record_parse(struct str text, struct arena *a, struct spf_record *out)
{
	struct str rest = str_skip(text, VERSION.n), word;

	*out = (struct spf_record){ .terms = ARENA_NEW_ARRAY(a, struct spf_term,
							     count_words(rest)) };
	while (rest.n) {
		str_cut(rest, ' ', &word, &rest);
		if (!word.n)
			continue;
		struct str name = modifier_name(word);
		bool fine = name.n ? parse_modifier(out, name, str_skip(word, name.n + 1))
				   : parse_mechanism(&out->terms[out->n], word);
		if (!fine)
			return -EINVAL;
		out->n += !name.n;
	}
	return 0;
}
