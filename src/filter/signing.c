#include "filter/signing.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/fd.h"
#include "dns/idna.h"

#define FILE_MAX  ((size_t)4 << 20)
#define KEY_MAX	  16384
#define ROOM_MIN  64
#define ITEMS_MAX 100000

void signing_problem(struct signing_build *b, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	b->source->problem(b->file, b->line, text);
}

struct str signing_read(struct signing_build *b, const char *file)
{
	struct arena *a = &b->signing->arena;
	struct str path = arena_printf(a, "%" STR_FMT "/%s", STR_ARG(b->source->config_dir), file);
	struct str text;
	struct err err;

	b->file = file;
	b->line = 0;
	int r = fd_read_file(path.p, a, FILE_MAX, &text, &err);
	if (r == 0)
		return text;
	if (r != -ENOENT && r != -ENOTDIR)
		signing_problem(b, "%s", err.text);
	return STR_NONE;
}

/* Where docker-mailserver puts what is in the configuration volume. */
static struct str place(struct signing_build *b, struct str path, const char *base)
{
	static const struct {
		struct str there;
		const char *here;
	} places[] = {
		{ STR_INIT("/etc/opendkim/"), "opendkim/" },
		{ STR_INIT("/tmp/docker-mailserver/"), "" },
		{ STR_INIT("/etc/rspamd/"), "rspamd/" },
	};
	struct str dir = b->source->config_dir;
	struct arena *a = &b->signing->arena;

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (str_starts(path, places[i].there))
			return arena_printf(a, "%" STR_FMT "/%s%" STR_FMT, STR_ARG(dir),
					    places[i].here,
					    STR_ARG(str_skip(path, places[i].there.n)));
	if (str_starts(path, STR("/")))
		return path;
	return arena_printf(a, "%" STR_FMT "/%s/%" STR_FMT, STR_ARG(dir), base, STR_ARG(path));
}

/* Room for one more; items stay where they are only as long as nothing is added. */
static void *grow(struct arena *a, void *items, size_t size, size_t count, size_t *room)
{
	if (count < *room)
		return items;
	*room = *room ? *room * 2 : ROOM_MIN;
	void *more = arena_zalloc_array(a, *room, size);
	if (count)
		memcpy(more, items, count * size);
	return more;
}

struct signing_key *signing_add_key(struct signing_build *b, struct str path, const char *base)
{
	struct signing *s = b->signing;
	auto_arena struct arena secret = ARENA_INIT;
	struct str text;
	struct err err;

	if (s->key_count == ITEMS_MAX) {
		signing_problem(b, "too many keys");
		return NULL;
	}
	struct signing_key *key = ARENA_NEW(&s->arena, struct signing_key);
	key->path = path;
	path = place(b, path, base);
	int r = fd_read_file(arena_cstr(&s->arena, path), &secret, KEY_MAX, &text, &err);
	if (r < 0) {
		signing_problem(b, "the key cannot be read: %s", err.text);
		return NULL;
	}
	r = dkim_private_key_parse(text, &key->key, &err);
	OPENSSL_cleanse((void *)text.p, text.n);
	if (r < 0) {
		signing_problem(b, "%" STR_FMT ": %s", STR_ARG(path), err.text);
		return NULL;
	}
	s->keys = grow(&s->arena, s->keys, sizeof(s->keys[0]), s->key_count, &s->key_room);
	s->keys[s->key_count++] = key;
	return key;
}

void signing_add_rule(struct signing_build *b, struct str pattern, bool is_domain,
		      const struct signing_key *key)
{
	struct signing *s = b->signing;

	if (s->rule_count == ITEMS_MAX) {
		signing_problem(b, "too many entries");
		return;
	}
	char *lower = arena_cstr(&s->arena, pattern);
	str_lower_bytes(lower, pattern.n);
	s->rules = grow(&s->arena, s->rules, sizeof(s->rules[0]), s->rule_count, &s->rule_room);
	s->rules[s->rule_count++] =
		(struct signing_rule){ str_of(lower, pattern.n), is_domain, key };
}

struct signing *signing_load(const struct signing_source *source)
{
	struct signing *s = calloc(1, sizeof(*s));
	struct signing_build b = { .signing = s, .source = source };

	if (!s)
		check_no_memory();
	s->refs = 1;
	arena_init(&s->arena);
	if (source->opendkim)
		signing_load_opendkim(&b);
	if (source->rspamd)
		signing_load_rspamd(&b);
	return s;
}

struct signing *signing_ref(struct signing *s)
{
	s->refs++;
	return s;
}

void signing_unref(struct signing *s)
{
	if (!s || --s->refs)
		return;
	for (size_t i = 0; i < s->key_count; i++)
		dkim_private_key_done(&s->keys[i]->key);
	arena_done(&s->arena);
	free(s);
}

/* '*' stands for any bytes. Linear but for the last '*', which is tried again. */
static bool fits_pattern(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.n && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static bool fits(const struct signing_rule *rule, struct str author, struct str domain)
{
	if (!rule->is_domain)
		return fits_pattern(rule->pattern, author);
	return str_eq(domain, rule->pattern) ||
	       (domain.n > rule->pattern.n && str_ends(domain, rule->pattern) &&
		domain.p[domain.n - rule->pattern.n - 1] == '.');
}

static size_t find(const struct signing *s, struct str author,
		   const struct signing_key *out[SIGNING_KEYS_PER_MESSAGE])
{
	ssize_t at = str_rfind_byte(author, '@');
	struct str domain = str_skip(author, (size_t)(at + 1));
	size_t n = 0;

	for (size_t i = 0; i < s->rule_count && n < SIGNING_KEYS_PER_MESSAGE; i++) {
		const struct signing_key *key = s->rules[i].key;
		bool have = n && out[0]->key.algorithm == key->key.algorithm;
		if (!have && fits(&s->rules[i], author, domain))
			out[n++] = key;
	}
	return n;
}

/* RFC 5890 2.3.2.1: a domain in UTF-8 and its ASCII form are the same, and the tables know one. */
size_t signing_find(const struct signing *s, struct str author,
		    const struct signing_key *out[SIGNING_KEYS_PER_MESSAGE])
{
	auto_arena struct arena a = ARENA_INIT;
	struct str other;
	size_t n = find(s, author, out);

	if (n == 0 && idna_address_other(author, &a, &other) == 0)
		n = find(s, other, out);
	return n;
}

const struct signing_key *signing_find_sealer(const struct signing *s, struct str address)
{
	const struct signing_key *keys[SIGNING_KEYS_PER_MESSAGE];
	size_t n = signing_find(s, address, keys);

	for (size_t i = 0; i < n; i++)
		if (keys[i]->key.algorithm == DKIM_RSA_SHA256)
			return keys[i];
	return NULL;
}

struct str signing_domain(const struct signing_key *key, struct str address)
{
	return key->any_domain ? str_skip(address, (size_t)(str_rfind_byte(address, '@') + 1))
			       : key->domain;
}
