#include "imap/list_match.h"

/* Where to go on after a mismatch: behind a wildcard of the pattern, which takes one more byte. */
struct retry {
	bool set;
	size_t pattern, name;
};

static bool same(char a, char b, bool fold)
{
	return a == b || (fold && ascii_upper(a) == ascii_upper(b));
}

/* How many bytes of the name are compared without regard to case. */
static size_t folded_bytes(struct str name)
{
	struct str inbox = STR("INBOX");

	if (!str_starts_nocase(name, inbox) || (name.n > inbox.n && name.p[inbox.n] != '.'))
		return 0;
	return inbox.n;
}

/* Take the last retry that still can: '%' before the '*' in front of it. */
static bool try_again(struct str name, struct retry *level, struct retry *any, size_t *p, size_t *n)
{
	if (level->set && level->name < name.n && name.p[level->name] != '.') {
		*n = ++level->name;
		*p = level->pattern;
		return true;
	}
	level->set = false;
	if (any->set && any->name < name.n) {
		*n = ++any->name;
		*p = any->pattern;
		return true;
	}
	return false;
}

/* It is never worth going back further than to the last '*', nor from there than to the last '%':
 * an earlier wildcard that takes more only leaves less for the ones behind it. */
bool imap_list_match(struct str pattern, struct str name)
{
	struct retry level = { 0 }, any = { 0 };
	size_t fold = folded_bytes(name);
	size_t p = 0, n = 0;

	for (;;) {
		if (p < pattern.n && pattern.p[p] == '*') {
			any = (struct retry){ true, ++p, n };
			level.set = false;
		} else if (p < pattern.n && pattern.p[p] == '%') {
			level = (struct retry){ true, ++p, n };
		} else if (p < pattern.n && n < name.n && same(pattern.p[p], name.p[n], n < fold)) {
			p++;
			n++;
		} else if (p == pattern.n && n == name.n) {
			return true;
		} else if (!try_again(name, &level, &any, &p, &n)) {
			return false;
		}
	}
}
