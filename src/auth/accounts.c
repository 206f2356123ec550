#include "auth/accounts.h"

#include <errno.h>

#include "auth/address.h"
#include "auth/password.h"
#include "base/arena.h"
#include "base/err.h"

typedef bool name_check_fn(struct str name);

static void append(struct accounts *t, struct account *acc)
{
	if (t->last)
		t->last->next = acc;
	else
		t->first = acc;
	t->last = acc;
	map_put(&t->by_login, acc->login, acc);
}

/* A login nobody can use is worth a warning, but its mail still has a home. */
static void check_hash(struct account *acc, unsigned number, const struct file_report *report)
{
	struct err err;
	if (acc->hash.n == 0)
		file_report_line(report, number, "%" STR_FMT " has no password: logins are refused",
				 STR_ARG(acc->login));
	else if (password_check_stored(acc->hash, &err) < 0)
		file_report_line(report, number, "%" STR_FMT ": %s: logins are refused",
				 STR_ARG(acc->login), err.text);
}

/* The text around '|' as it stands: blanks belong to a plain-text password. */
static struct account *parse_line(struct arena *a, struct str line)
{
	struct str login, hash, extra;
	if (!str_cut(line, '|', &login, &hash))
		return NULL;
	str_cut(hash, '|', &hash, &extra);

	struct account *acc = ARENA_NEW(a, struct account);
	acc->login = address_fold(a, str_trim(login));
	acc->hash = hash;
	acc->extra = extra;
	struct address addr = address_split(acc->login);
	acc->local = addr.local;
	acc->domain = addr.domain;
	return acc;
}

static void parse(struct accounts *t, struct arena *a, struct str text, name_check_fn *is_name,
		  const struct file_report *report)
{
	struct file_lines lines;
	struct str line;

	map_init(&t->by_login);
	file_lines_init(&lines, text);
	while (file_lines_next(&lines, &line) && t->by_login.count < ACCOUNTS_MAX) {
		struct account *acc = parse_line(a, line);
		if (!acc)
			file_report_broken(report, lines.number, line, "no '|' after the name");
		else if (!is_name(acc->login))
			file_report_broken(report, lines.number, line, "not a valid name");
		else if (map_get(&t->by_login, acc->login))
			file_report_line(report, lines.number,
					 "%" STR_FMT " is there already; this line is not used",
					 STR_ARG(acc->login));
		else {
			check_hash(acc, lines.number, report);
			append(t, acc);
		}
	}
	if (file_lines_next(&lines, &line))
		file_report_line(report, lines.number,
				 "more than %d accounts: this line and the rest are not used",
				 ACCOUNTS_MAX);
}

void accounts_parse(struct accounts *t, struct arena *a, struct str text,
		    const struct file_report *report)
{
	parse(t, a, text, address_is_mailbox_name, report);
}

static bool is_master_name(struct str name)
{
	return name.n > 0 && str_find_byte(name, '*') < 0;
}

void accounts_parse_masters(struct accounts *t, struct arena *a, struct str text,
			    const struct file_report *report)
{
	parse(t, a, text, is_master_name, report);
}

bool accounts_keep(struct accounts *t, struct arena *a, const struct accounts *before,
		   struct str login)
{
	const struct account *old = accounts_find(before, login);
	if (!old || accounts_find(t, login))
		return false;
	append(t, parse_line(a, arena_printf(a, "%" STR_FMT "|%" STR_FMT "|%" STR_FMT,
					     STR_ARG(old->login), STR_ARG(old->hash),
					     STR_ARG(old->extra))));
	return true;
}

void accounts_done(struct accounts *t)
{
	map_done(&t->by_login);
}

struct account *accounts_find(const struct accounts *t, struct str login)
{
	return map_get(&t->by_login, login);
}

bool account_extra_get(const struct account *acc, struct str key, struct str *value)
{
	struct str rest = acc->extra, field, name;
	while (str_next_word(&rest, &field)) {
		str_cut(field, '=', &name, &field);
		if (str_eq(name, key)) {
			*value = field;
			return true;
		}
	}
	return false;
}
