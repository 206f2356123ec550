#include "auth/relay_logins.h"

#include "auth/address.h"
#include "base/arena.h"

/* A password may hold anything but a line end, blanks too. */
static bool parse_line(struct arena *a, struct str line, struct relay_login *out)
{
	struct str rest = line, key;

	if (!str_next_word(&rest, &key) ||
	    !str_cut(str_trim(rest), ':', &out->user, &out->password))
		return false;
	out->key = address_fold(a, key);
	return out->user.n && out->password.n;
}

void relay_logins_parse(struct relay_logins *t, struct arena *a, struct str text,
			const struct file_report *report)
{
	struct file_lines lines;
	struct str line;

	map_init(&t->by_key);
	file_lines_init(&lines, text);
	while (file_lines_next(&lines, &line)) {
		struct relay_login *l = ARENA_NEW(a, struct relay_login);
		struct str rest = line, key;
		if (!parse_line(a, line, l)) {
			/* The line is not shown: it may hold a password. */
			(void)str_next_word(&rest, &key);
			file_report_broken(report, lines.number, key,
					   "not \"@domain user:password\"");
		} else if (map_get(&t->by_key, l->key)) {
			file_report_line(report, lines.number,
					 "%" STR_FMT " is there already; this line is not used",
					 STR_ARG(l->key));
		} else {
			map_put(&t->by_key, l->key, l);
		}
	}
}

bool relay_logins_keep(struct relay_logins *t, struct arena *a, const struct relay_logins *before,
		       struct str key)
{
	const struct relay_login *old = map_get(&before->by_key, key);

	if (!old || map_get(&t->by_key, key))
		return false;
	struct relay_login *l = ARENA_NEW(a, struct relay_login);
	*l = (struct relay_login){ arena_str(a, key), arena_str(a, old->user),
				   arena_str(a, old->password) };
	map_put(&t->by_key, l->key, l);
	return true;
}

void relay_logins_done(struct relay_logins *t)
{
	map_done(&t->by_key);
}

const struct relay_login *relay_logins_of_sender(const struct relay_logins *t, struct str sender)
{
	auto_arena struct arena a = ARENA_INIT;
	const struct relay_login *l = map_get(&t->by_key, sender);
	struct address addr = address_split(sender);

	if (l || !addr.domain.n)
		return l;
	return map_get(&t->by_key, arena_printf(&a, "@%" STR_FMT, STR_ARG(addr.domain)));
}

const struct relay_login *relay_logins_of_nexthop(const struct relay_logins *t, struct str nexthop)
{
	auto_arena struct arena a = ARENA_INIT;

	return map_get(&t->by_key, address_fold(&a, nexthop));
}
