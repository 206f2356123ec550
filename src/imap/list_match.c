#include "imap/list_match.h"

/* Where to go on after a mismatch: behind a wildcard of the pattern, which takes one more byte. */
struct retry {
	bool set;
	size_t pattern, name;
};

/* Both wildcards, and where in pattern and name the comparison stands. */
struct match {
	struct retry level, any;
	size_t p, n;
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
static bool try_again(struct match *m, struct str name, char separator)
{
	struct retry *level = &m->level, *any = &m->any;

	if (level->set && level->name < name.n && name.p[level->name] != separator) {
		m->n = ++level->name;
		m->p = level->pattern;
		return true;
	}
	level->set = false;
	if (any->set && any->name < name.n) {
		m->n = ++any->name;
		m->p = any->pattern;
		return true;
	}
	return false;
}

/* It is never worth going back further than to the last '*', nor from there than to the last '%':
 * an earlier wildcard that takes more only leaves less for the ones behind it. */
bool imap_list_match(struct str pattern, struct str name, char separator)
{
	struct match m = { 0 };
	size_t fold = folded_bytes(name);

	for (;;) {
		char wanted = m.p < pattern.n ? pattern.p[m.p] : '\0';
		if (m.p < pattern.n && wanted == '*') {
			m.any = (struct retry){ true, ++m.p, m.n };
			m.level.set = false;
		} else if (m.p < pattern.n && wanted == '%') {
			m.level = (struct retry){ true, ++m.p, m.n };
		} else if (m.p < pattern.n && m.n < name.n &&
			   same(wanted, name.p[m.n], m.n < fold)) {
			m.p++;
			m.n++;
		} else if (m.p == pattern.n && m.n == name.n) {
			return true;
		} else if (!try_again(&m, name, separator)) {
			return false;
		}
	}
}
