/* The names that people with habits type: mailq, postqueue, postsuper. */
#include <stdio.h>

#include "setup/cmd_queue.h"
#include "setup/message.h"
#include "setup/queue_door.h"
#include "setup/queue_print.h"

enum setup_exit cmd_mailq(struct setup *s)
{
	return queue_door_open(s, false, queue_list, NULL);
}

enum setup_exit cmd_postqueue(struct setup *s)
{
	struct str option = setup_arg(s, 0), value = setup_arg(s, 1);

	if (str_eq(option, STR("-p")))
		return queue_door_open(s, false, queue_list, NULL);
	if (str_eq(option, STR("-j")))
		return queue_door_open(s, false, queue_list, s);
	if (str_eq(option, STR("-f")))
		return queue_flush(s, STR_NONE);
	if (str_eq(option, STR("-i")) && value.n) {
		struct queue_wish wish = { OPERATOR_RETRY, .done = "Tried now" };
		return queue_parse_ids(s, &value, 1, &wish) ? queue_act_on(s, &wish) : SETUP_ERROR;
	}
	if (str_eq(option, STR("-s")) && value.n)
		return queue_flush(s, value);
	return message_fail_usage(s, "'%" STR_FMT "' is not understood", STR_ARG(option));
}

/* What postsuper is to do: one wish for each option, with the words behind it. */
struct order {
	struct str option;
	struct queue_wish wish;
	struct str *words;
	size_t count, room;
	bool all, input;
};

static void add_word(struct setup *s, struct order *o, struct str word)
{
	if (o->count == o->room) {
		struct str *more = ARENA_NEW_ARRAY(&s->arena, struct str, o->room * 2 + 64);
		for (size_t i = 0; i < o->count; i++)
			more[i] = o->words[i];
		o->words = more;
		o->room = o->room * 2 + 64;
	}
	o->words[o->count++] = word;
}

/* "-" stands for ids on standard input, one a line. */
static void read_input(struct setup *s, struct order *o)
{
	static char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		struct str id = str_trim(str_from(line));
		if (id.n)
			add_word(s, o, arena_str(&s->arena, id));
	}
}

/* "-d ID" or "-dID". False when it is neither. */
static bool take_order(struct setup *s, unsigned *i, struct order *orders, size_t n)
{
	struct str option = str_sub(s->args[*i], 0, 2), value = str_skip(s->args[*i], 2);
	struct order *o = orders;

	while (o < orders + n && !str_eq(o->option, option))
		o++;
	if (o == orders + n)
		return false;
	if (!value.n)
		value = setup_arg(s, ++*i);
	if (str_eq_nocase(value, STR("ALL")))
		o->all = true;
	else if (str_eq(value, STR("-")))
		o->input = true;
	else if (value.n && value.p[0] != '-')
		add_word(s, o, value);
	else
		return false;
	return true;
}

/* The name of a queue, behind the options. */
static bool take_state(struct str word, unsigned *states)
{
	for (unsigned state = OPERATOR_INCOMING; state <= OPERATOR_HELD; state++) {
		if (!str_eq(word, str_from(queue_state_word(state))))
			continue;
		*states |= 1u << state;
		return true;
	}
	return false;
}

/* All of the command line, before anything is done. NULL, or the word that makes no sense. */
static const char *parse_orders(struct setup *s, struct order *orders, size_t n)
{
	unsigned states = 0, i = 0;
	bool named = false;

	for (; i < s->count && str_starts(s->args[i], STR("-")); i++) {
		unsigned first = i;
		if (!str_eq(s->args[i], STR("-v")) && !take_order(s, &i, orders, n))
			return s->args[first].p;
	}
	for (size_t k = 0; k < n; k++)
		named |= orders[k].count || orders[k].input;
	for (; i < s->count; i++)
		if (named || !take_state(s->args[i], &states))
			return s->args[i].p;
	for (size_t k = 0; k < n; k++)
		orders[k].wish.states = states;
	return NULL;
}

enum setup_exit cmd_postsuper(struct setup *s)
{
	struct order orders[] = {
		{ .option = STR("-d"), .wish = { OPERATOR_DELETE, .done = "Deleted" } },
		{ .option = STR("-h"), .wish = { OPERATOR_HOLD, .done = "Placed on hold" } },
		{ .option = STR("-H"), .wish = { OPERATOR_RELEASE, .done = "Released from hold" } },
		{ .option = STR("-r"), .wish = { OPERATOR_RETRY, .done = "Requeued" } },
	};
	enum setup_exit result = SETUP_OK;

	const char *unknown = parse_orders(s, orders, ARRAY_LEN(orders));
	if (unknown)
		return message_fail_usage(s, "'%s' is not understood", unknown);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct order *o = &orders[i];
		if (o->input)
			read_input(s, o);
		if (!o->all && !queue_parse_ids(s, o->words, o->count, &o->wish))
			return SETUP_ERROR;
	}
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct order *o = &orders[i];
		if ((o->all || o->count) && queue_act_on(s, &o->wish) != SETUP_OK)
			result = SETUP_ERROR;
	}
	return result;
}
