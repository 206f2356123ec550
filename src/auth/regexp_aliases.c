#include "auth/regexp_aliases.h"

#include <errno.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "auth/address.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* A pattern that backtracks needs more steps than this only when it is written badly. */
#define REGEXP_STEPS_MAX    100000
#define REGEXP_DEPTH_MAX    5000
#define REGEXP_HEAP_KIB_MAX 4096
#define REGEXP_GROUPS_MAX   32

struct regexp_rule {
	pcre2_code *code; /* NULL for RULE_ENDIF */
	enum {
		RULE_RESULT,
		RULE_IF,
		RULE_ENDIF
	} kind;
	bool negated;
	struct str result;
	struct regexp_rule *end; /* of an "if": its "endif", or NULL for the end of the file */
	struct regexp_rule *outer;
	struct regexp_rule *next;
};

struct parser {
	struct regexp_aliases *table;
	struct arena *arena;
	const struct file_report *report;
	struct regexp_rule *open_if; /* innermost */
	unsigned number;
};

/* Postfix switches letters on and off starting from its own defaults: ignoring case, and a dot that
 * matches line ends. */
static int parse_flags(struct str flags, uint32_t *options)
{
	*options = PCRE2_CASELESS | PCRE2_DOTALL;
	for (size_t i = 0; i < flags.n; i++) {
		switch (flags.p[i]) {
		case 'i':
			*options ^= PCRE2_CASELESS;
			break;
		case 'm':
			*options ^= PCRE2_MULTILINE;
			break;
		case 's':
			*options ^= PCRE2_DOTALL;
			break;
		case 'x':
			*options ^= PCRE2_EXTENDED;
			break;
		case 'A':
			*options ^= PCRE2_ANCHORED;
			break;
		case 'E':
			*options ^= PCRE2_DOLLAR_ENDONLY;
			break;
		case 'U':
			*options ^= PCRE2_UNGREEDY;
			break;
		case 'X':
			break;
		default:
			return -EINVAL;
		}
	}
	return 0;
}

/* Offset of the delimiter that closes the pattern, -1 when there is none. A backslash protects
 * it. */
static ssize_t pattern_end(struct str s, char delimiter)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == delimiter)
			return (ssize_t)i;
	}
	return -1;
}

/* Take "[!]/pattern/flags" off the front of *rest. */
static int parse_pattern(struct parser *p, struct str *rest, struct regexp_rule *rule)
{
	while (str_starts(*rest, STR("!"))) {
		rule->negated = !rule->negated;
		*rest = str_trim(str_skip(*rest, 1));
	}
	char delimiter = rest->n ? rest->p[0] : 'x';
	if (ascii_is_alnum((unsigned char)delimiter)) {
		file_report_broken(p->report, p->number, STR_NONE, "no pattern between slashes");
		return -EINVAL;
	}
	struct str inside = str_skip(*rest, 1), flags = STR_NONE;
	ssize_t end = pattern_end(inside, delimiter);
	if (end < 0) {
		file_report_broken(p->report, p->number, STR_NONE, "the pattern has no end");
		return -EINVAL;
	}
	*rest = str_skip(inside, (size_t)end + 1);
	if (rest->n && !ascii_is_wsp((unsigned char)rest->p[0]))
		str_next_word(rest, &flags);
	*rest = str_trim(*rest);

	uint32_t options;
	int code;
	PCRE2_SIZE offset;
	if (parse_flags(flags, &options) < 0) {
		file_report_broken(p->report, p->number, STR_NONE,
				   "unknown flag in \"%" STR_FMT "\"", STR_ARG(flags));
		return -EINVAL;
	}
	rule->code =
		pcre2_compile((PCRE2_SPTR)inside.p, (size_t)end, options, &code, &offset, NULL);
	if (!rule->code) {
		char why[128];
		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
		file_report_broken(p->report, p->number, STR_NONE, "pattern, character %zu: %s",
				   offset + 1, why);
		return -EINVAL;
	}
	return 0;
}

static void append(struct parser *p, struct regexp_rule *rule)
{
	if (p->table->last)
		p->table->last->next = rule;
	else
		p->table->first = rule;
	p->table->last = rule;
	p->table->count++;
}

/* "if" with a broken pattern still opens a block: its rules must not apply to everything. */
static void parse_if(struct parser *p, struct str rest)
{
	struct regexp_rule *rule = ARENA_NEW(p->arena, struct regexp_rule);
	rule->kind = RULE_IF;
	(void)!parse_pattern(p, &rest, rule);
	rule->outer = p->open_if;
	p->open_if = rule;
	append(p, rule);
}

static void parse_endif(struct parser *p)
{
	if (!p->open_if) {
		file_report_broken(p->report, p->number, STR_NONE, "\"endif\" without \"if\"");
		return;
	}
	struct regexp_rule *rule = ARENA_NEW(p->arena, struct regexp_rule);
	rule->kind = RULE_ENDIF;
	p->open_if->end = rule;
	p->open_if = p->open_if->outer;
	append(p, rule);
}

static void parse_rule(struct parser *p, struct str rest)
{
	struct regexp_rule *rule = ARENA_NEW(p->arena, struct regexp_rule);
	if (parse_pattern(p, &rest, rule) < 0)
		return;

	rule->result = rest;
	if (rest.n == 0 || (rule->negated && str_find_byte(rest, '$') >= 0)) {
		file_report_broken(p->report, p->number, STR_NONE,
				   rest.n ? "a negated pattern has nothing to put in for $1"
					  : "a pattern without result");
		pcre2_code_free(rule->code);
		return;
	}
	append(p, rule);
}

static bool is_word(struct str entry, struct str word, struct str *rest)
{
	if (!str_starts_nocase(entry, word))
		return false;
	*rest = str_skip(entry, word.n);
	if (rest->n && ascii_is_alnum((unsigned char)rest->p[0]))
		return false;
	*rest = str_trim(*rest);
	return true;
}

void regexp_aliases_parse(struct regexp_aliases *t, struct arena *a, struct str text,
			  const struct file_report *report)
{
	struct parser p = { .table = t, .arena = a, .report = report };
	struct file_lines lines;
	struct str entry, rest;

	file_lines_init(&lines, text);
	while (file_lines_next_entry(&lines, a, &entry)) {
		p.number = lines.number;
		if (t->count >= REGEXP_RULES_MAX) {
			file_report_broken(report, lines.number, STR_NONE, "more than %d rules",
					   REGEXP_RULES_MAX);
			return;
		}
		if (is_word(entry, STR("endif"), &rest))
			parse_endif(&p);
		else if (is_word(entry, STR("if"), &rest))
			parse_if(&p, rest);
		else
			parse_rule(&p, entry);
	}
	if (p.open_if)
		file_report_broken(report, lines.number, STR_NONE, "\"if\" without \"endif\"");
}

void regexp_aliases_done(struct regexp_aliases *t)
{
	for (struct regexp_rule *r = t->first; r; r = r->next)
		pcre2_code_free(r->code);
}

struct matcher {
	pcre2_match_context *limits;
	pcre2_match_data *groups;
	struct str address;
	int count; /* of groups that the last match filled */
};

static void matcher_init(struct matcher *m, struct str address)
{
	m->address = address;
	m->limits = pcre2_match_context_create(NULL);
	m->groups = pcre2_match_data_create(REGEXP_GROUPS_MAX, NULL);
	if (!m->limits || !m->groups)
		check_no_memory();
	pcre2_set_match_limit(m->limits, REGEXP_STEPS_MAX);
	pcre2_set_depth_limit(m->limits, REGEXP_DEPTH_MAX);
	pcre2_set_heap_limit(m->limits, REGEXP_HEAP_KIB_MAX);
}

static void matcher_done(struct matcher *m)
{
	pcre2_match_context_free(m->limits);
	pcre2_match_data_free(m->groups);
}

/* 1 when the rule applies, 0 when not, -ELOOP. */
static int match(struct matcher *m, const struct regexp_rule *rule)
{
	if (!rule->code)
		return 0;
	m->count = pcre2_match(rule->code, (PCRE2_SPTR)m->address.p, m->address.n, 0, 0, m->groups,
			       m->limits);
	if (m->count == PCRE2_ERROR_NOMATCH)
		return rule->negated;
	if (m->count < 0)
		return -ELOOP;
	return !rule->negated;
}

static void put_group(struct buf *out, const struct matcher *m, struct str number)
{
	const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(m->groups);
	uint64_t i;

	if (str_to_u64(number, REGEXP_GROUPS_MAX - 1, &i) < 0 || (int)i >= m->count ||
	    offsets[2 * i] == PCRE2_UNSET)
		return;
	buf_put_str(out, str_sub(m->address, offsets[2 * i], offsets[2 * i + 1] - offsets[2 * i]));
}

/* What follows a '$': "$", "1", "{1}" or "(1)". Returns the bytes used. */
static size_t put_reference(struct buf *out, const struct matcher *m, struct str s)
{
	size_t digits = 0;
	bool braces = s.n && (s.p[0] == '{' || s.p[0] == '(');

	if (s.n && s.p[0] == '$') {
		buf_putc(out, '$');
		return 1;
	}
	if (braces)
		s = str_skip(s, 1);
	while (digits < s.n && ascii_is_digit((unsigned char)s.p[digits]))
		digits++;
	put_group(out, m, str_sub(s, 0, digits));
	bool closed = braces && digits < s.n && (s.p[digits] == '}' || s.p[digits] == ')');
	return braces + digits + closed;
}

static void put_result(struct buf *out, const struct matcher *m, struct str result)
{
	struct str before, after;
	while (str_cut(result, '$', &before, &after)) {
		buf_put_str(out, before);
		result = str_skip(after, put_reference(out, m, after));
	}
	buf_put_str(out, result);
}

/* The first rule that applies, or NULL. */
static int find_rule(const struct regexp_aliases *t, struct matcher *m,
		     const struct regexp_rule **out)
{
	for (const struct regexp_rule *r = t->first; r; r = r->next) {
		if (r->kind == RULE_ENDIF)
			continue;
		int matched = match(m, r);
		if (matched < 0)
			return matched;
		if (matched && r->kind == RULE_RESULT) {
			*out = r;
			return 1;
		}
		if (!matched && r->kind == RULE_IF && !(r = r->end))
			return 0;
	}
	return 0;
}

int regexp_aliases_find(const struct regexp_aliases *t, struct str address, struct arena *a,
			struct str *result, struct err *err)
{
	__attribute__((cleanup(matcher_done))) struct matcher m = { 0 };
	const struct regexp_rule *rule;
	struct buf out;

	if (t->count == 0 || address.n > ADDRESS_MAX)
		return 0;
	matcher_init(&m, address);
	int r = find_rule(t, &m, &rule);
	if (r < 0)
		return err_set(err, r, "a pattern of the alias table needs too many steps");
	if (r == 0)
		return 0;
	buf_init(&out, a, REGEXP_RESULT_MAX);
	put_result(&out, &m, rule->result);
	if (buf_failed(&out))
		return err_set(err, -EOVERFLOW, "result of the alias table exceeds %d bytes",
			       REGEXP_RESULT_MAX);
	*result = buf_str(&out);
	return 1;
}
