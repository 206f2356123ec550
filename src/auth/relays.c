#include "auth/relays.h"

#include "auth/address.h"
#include "base/arena.h"

void relays_parse(struct relays *t, struct arena *a, struct str text,
		  const struct file_report *report)
{
	struct file_lines lines;
	struct str line;

	map_init(&t->by_sender);
	file_lines_init(&lines, text);
	while (file_lines_next(&lines, &line)) {
		struct str rest = line, sender, nexthop = STR_NONE, more;
		(void)str_next_word(&rest, &sender);
		(void)str_next_word(&rest, &nexthop);
		if (str_next_word(&rest, &more) || str_find_byte(sender, '@') < 0) {
			file_report_broken(report, lines.number, line,
					   "not \"@domain host\" or \"user@domain host\"");
			continue;
		}
		struct relay *r = ARENA_NEW(a, struct relay);
		*r = (struct relay){ address_fold(a, sender), nexthop };
		if (map_get(&t->by_sender, r->sender))
			file_report_line(report, lines.number,
					 "%" STR_FMT " is there already; this line is not used",
					 STR_ARG(r->sender));
		else
			map_put(&t->by_sender, r->sender, r);
	}
}

bool relays_keep(struct relays *t, struct arena *a, const struct relays *before, struct str sender)
{
	const struct relay *old = map_get(&before->by_sender, sender);

	if (!old || map_get(&t->by_sender, sender))
		return false;
	struct relay *r = ARENA_NEW(a, struct relay);
	*r = (struct relay){ arena_str(a, sender), arena_str(a, old->nexthop) };
	map_put(&t->by_sender, r->sender, r);
	return true;
}

void relays_done(struct relays *t)
{
	map_done(&t->by_sender);
}

const struct relay *relays_find(const struct relays *t, struct str sender, char delimiter)
{
	auto_arena struct arena a = ARENA_INIT;
	struct address addr = address_split(sender);
	struct str base, extension;

	const struct relay *r = map_get(&t->by_sender, sender);
	if (!r && address_split_extension(addr.local, delimiter, &base, &extension))
		r = map_get(&t->by_sender, arena_printf(&a, "%" STR_FMT "@%" STR_FMT, STR_ARG(base),
							STR_ARG(addr.domain)));
	if (!r)
		r = map_get(&t->by_sender, arena_printf(&a, "@%" STR_FMT, STR_ARG(addr.domain)));
	return r;
}
