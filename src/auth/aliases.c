#include "auth/aliases.h"

#include "auth/address.h"
#include "base/arena.h"

static bool is_separator(char c)
{
	return c == ',' || ascii_is_wsp((unsigned char)c);
}

/* Where the target at the front of s ends. */
static size_t target_length(struct str s)
{
	bool quoted = false;
	size_t i = 0;
	for (; i < s.n && (quoted || !is_separator(s.p[i])); i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
	}
	return i;
}

bool alias_target_next(struct str *rest, struct str *target)
{
	while (rest->n && is_separator(rest->p[0]))
		*rest = str_skip(*rest, 1);
	size_t n = target_length(*rest);
	*target = str_sub(*rest, 0, n);
	*rest = str_skip(*rest, n);
	return n > 0;
}

static size_t count_targets(struct str list)
{
	struct str target;
	size_t n = 0;
	while (n <= ALIAS_TARGETS_MAX && alias_target_next(&list, &target))
		n++;
	return n;
}

/* Programs, files and includes would run or write on behalf of whoever sends mail. */
static bool is_special(struct str target)
{
	char c = target.n > 1 && target.p[0] == '"' ? target.p[1] : target.p[0];
	if (str_eq(target, STR("/dev/null")))
		return false;
	return c == '|' || c == '/' || str_starts_nocase(target, STR(":include:"));
}

struct entry {
	struct str whole;
	struct str key;
	struct str targets;
	unsigned number;
};

static void fill_targets(struct alias *alias, const struct entry *e,
			 const struct file_report *report)
{
	struct str rest = e->targets, target;
	while (alias_target_next(&rest, &target)) {
		if (target.p[0] == '#') {
			file_report_line(report, e->number,
					 "a comment needs a line of its own; the rest is ignored");
			return;
		}
		if (is_special(target))
			file_report_line(report, e->number,
					 "target %" STR_FMT
					 " is not supported: only addresses and /dev/null are",
					 STR_ARG(str_sub(target, 0, 64)));
		else if (target.n > ADDRESS_MAX)
			file_report_line(report, e->number, "a target exceeds %d bytes",
					 ADDRESS_MAX);
		else
			alias->targets[alias->count++] = target;
	}
}

static void append(struct aliases *t, struct alias *alias)
{
	if (t->last)
		t->last->next = alias;
	else
		t->first = alias;
	t->last = alias;
	map_put(&t->by_key, alias->key, alias);
}

static void add(struct aliases *t, struct arena *a, const struct entry *e,
		const struct file_report *report)
{
	struct str key = address_fold(a, address_unquote(a, e->key));
	if (key.n == 0 || key.n > ADDRESS_MAX) {
		file_report_broken(report, e->number, e->whole, "not a valid alias");
		return;
	}
	if (map_get(&t->by_key, key)) {
		file_report_line(report, e->number,
				 "%" STR_FMT " is there already; this line is not used",
				 STR_ARG(key));
		return;
	}
	size_t n = count_targets(e->targets);
	if (n == 0 || n > ALIAS_TARGETS_MAX) {
		file_report_broken(report, e->number, e->whole, "%" STR_FMT " has %s", STR_ARG(key),
				   n ? "too many targets" : "no target");
		return;
	}

	struct alias *alias = ARENA_NEW(a, struct alias);
	alias->key = key;
	alias->targets = ARENA_NEW_ARRAY(a, struct str, n);
	fill_targets(alias, e, report);
	if (alias->count)
		append(t, alias);
}

bool aliases_keep(struct aliases *t, struct arena *a, const struct aliases *before, struct str key)
{
	const struct alias *old = aliases_find(before, key);
	if (!old || aliases_find(t, key))
		return false;
	struct alias *alias = ARENA_NEW(a, struct alias);
	alias->key = arena_str(a, old->key);
	alias->targets = ARENA_NEW_ARRAY(a, struct str, old->count);
	while (alias->count < old->count) {
		alias->targets[alias->count] = arena_str(a, old->targets[alias->count]);
		alias->count++;
	}
	append(t, alias);
	return true;
}

/* The key of a virtual entry ends at a blank, that of a local one at a colon. */
static bool split_virtual(struct str entry, struct entry *e)
{
	e->targets = entry;
	size_t n = target_length(entry);
	e->key = str_sub(entry, 0, n);
	e->targets = str_skip(entry, n);
	return e->targets.n && ascii_is_wsp((unsigned char)e->targets.p[0]);
}

static bool split_local(struct str entry, struct entry *e)
{
	if (!str_cut(entry, ':', &e->key, &e->targets))
		return false;
	e->key = str_trim(e->key);
	return true;
}

static void parse(struct aliases *t, struct arena *a, struct str text,
		  bool (*split)(struct str, struct entry *), const struct file_report *report)
{
	struct file_lines lines;
	struct str text_of_entry;

	map_init(&t->by_key);
	file_lines_init(&lines, text);
	while (file_lines_next_entry(&lines, a, &text_of_entry)) {
		struct entry e = { .whole = text_of_entry, .number = lines.number };
		if (split(text_of_entry, &e))
			add(t, a, &e, report);
		else
			file_report_broken(report, lines.number, text_of_entry,
					   "an alias without target");
	}
}

void aliases_parse_virtual(struct aliases *t, struct arena *a, struct str text,
			   const struct file_report *report)
{
	parse(t, a, text, split_virtual, report);
}

void aliases_parse_local(struct aliases *t, struct arena *a, struct str text,
			 const struct file_report *report)
{
	parse(t, a, text, split_local, report);
}

void aliases_done(struct aliases *t)
{
	map_done(&t->by_key);
}

const struct alias *aliases_find(const struct aliases *t, struct str key)
{
	return map_get(&t->by_key, key);
}
