#include "auth/access.h"

#include "auth/address.h"
#include "base/arena.h"
#include "base/buf.h"

#define ACCESS_REJECT_CODE 554
#define ACCESS_DEFER_CODE  450

/* "550 text", "450 4.7.1 text" */
static bool parse_numeric(struct str action, struct str text, struct access_rule *rule)
{
	uint64_t code;
	if (str_to_u64(action, 599, &code) < 0)
		return false;
	rule->text = text;
	rule->code = (uint16_t)code;
	/* Postfix reads any other number as OK: address verification tools leave such entries. */
	rule->action = action.n == 3 && code >= 400 ? ACCESS_REJECT : ACCESS_OK;
	return true;
}

static bool parse_action(struct str rest, struct access_rule *rule)
{
	static const struct {
		struct str name;
		enum access_action action;
		uint16_t code;
	} actions[] = {
		{ STR_INIT("REJECT"), ACCESS_REJECT, ACCESS_REJECT_CODE },
		{ STR_INIT("DEFER"), ACCESS_REJECT, ACCESS_DEFER_CODE },
		{ STR_INIT("OK"), ACCESS_OK, 0 },
		{ STR_INIT("PERMIT"), ACCESS_OK, 0 },
		{ STR_INIT("DUNNO"), ACCESS_DUNNO, 0 },
	};
	struct str word;

	if (!str_next_word(&rest, &word))
		return false;
	rest = str_trim(rest);
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (!str_eq_nocase(word, actions[i].name))
			continue;
		rule->action = actions[i].action;
		rule->code = actions[i].code;
		rule->text = rest;
		return true;
	}
	return parse_numeric(word, rest, rule);
}

static void append(struct access_table *t, struct access_rule *rule)
{
	if (t->last)
		t->last->next = rule;
	else
		t->first = rule;
	t->last = rule;
	map_put(&t->by_key, rule->key, rule);
}

void access_parse(struct access_table *t, struct arena *a, struct str text,
		  const struct file_report *report)
{
	struct file_lines lines;
	struct str entry, rest, key;

	map_init(&t->by_key);
	file_lines_init(&lines, text);
	while (file_lines_next_entry(&lines, a, &entry)) {
		struct access_rule *rule = ARENA_NEW(a, struct access_rule);
		rest = entry;
		if (!str_next_word(&rest, &key) || !parse_action(rest, rule)) {
			file_report_broken(report, lines.number, entry,
					   "the action is not REJECT, OK, DUNNO or 4xx/5xx text");
			continue;
		}
		rule->key = address_fold(a, key);
		if (map_get(&t->by_key, rule->key))
			file_report_line(report, lines.number,
					 "%" STR_FMT " is there already; this line is not used",
					 STR_ARG(rule->key));
		else
			append(t, rule);
	}
}

bool access_keep(struct access_table *t, struct arena *a, const struct access_table *before,
		 struct str key)
{
	const struct access_rule *old = map_get(&before->by_key, key);
	if (!old || map_get(&t->by_key, key))
		return false;
	struct access_rule *rule = ARENA_NEW(a, struct access_rule);
	*rule = *old;
	rule->key = arena_str(a, old->key);
	rule->text = arena_str(a, old->text);
	rule->next = NULL;
	append(t, rule);
	return true;
}

void access_done(struct access_table *t)
{
	map_done(&t->by_key);
}

/* example.org, then org for mail.example.org: the domain and all above it. */
static const struct access_rule *find_domain(const struct access_table *t, struct str domain)
{
	while (domain.n) {
		const struct access_rule *rule = map_get(&t->by_key, domain);
		struct str label;
		if (rule)
			return rule;
		str_cut(domain, '.', &label, &domain);
	}
	return NULL;
}

static const struct access_rule *find_pair(const struct access_table *t, struct arena *a,
					   struct str local, struct str domain)
{
	return map_get(&t->by_key,
		       arena_printf(a, "%" STR_FMT "@%" STR_FMT, STR_ARG(local), STR_ARG(domain)));
}

const struct access_rule *access_find(const struct access_table *t, struct str address,
				      char delimiter)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str base, extension;

	if (t->by_key.count == 0 || address.n > ADDRESS_MAX)
		return NULL;
	if (address.n == 0)
		return map_get(&t->by_key, STR("<>"));

	struct address addr = address_split(address_fold(&a, address));
	bool has_extension = address_split_extension(addr.local, delimiter, &base, &extension);
	const struct access_rule *rule = map_get(&t->by_key, addr.whole);
	if (!rule && has_extension)
		rule = find_pair(t, &a, base, addr.domain);
	if (!rule)
		rule = find_domain(t, addr.domain);
	if (!rule)
		rule = find_pair(t, &a, addr.local, STR(""));
	if (!rule && has_extension)
		rule = find_pair(t, &a, base, STR(""));
	return rule;
}
