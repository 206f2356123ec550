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
	if (str_eq(option, STR("-i")) && value.n)
		return queue_act_on(s, OPERATOR_RETRY, &value, 1, "Tried now");
	if (str_eq(option, STR("-s")) && value.n)
		return queue_flush(s, value);
	return message_fail_usage(s, "'%" STR_FMT "' is not understood", STR_ARG(option));
}

/* "-" reads ids from standard input, one a line. */
static enum setup_exit act_on_input(struct setup *s, enum operator_action action, const char *done)
{
	static char line[256];
	struct str *ids = NULL;
	unsigned count = 0, room = 0;

	while (fgets(line, sizeof(line), stdin)) {
		struct str id = str_trim(str_from(line));
		if (!id.n)
			continue;
		if (count == room) {
			struct str *more = ARENA_NEW_ARRAY(&s->arena, struct str, room * 2 + 64);
			for (unsigned i = 0; i < count; i++)
				more[i] = ids[i];
			ids = more;
			room = room * 2 + 64;
		}
		ids[count++] = arena_str(&s->arena, id);
	}
	return count ? queue_act_on(s, action, ids, count, done) : SETUP_OK;
}

/* The names of queues behind ALL. False when one of them is none. */
static bool parse_states(const struct setup *s, unsigned *states)
{
	*states = 0;
	for (unsigned i = 2; i < s->count; i++) {
		unsigned state = OPERATOR_INCOMING;
		while (state <= OPERATOR_HELD &&
		       !str_eq(s->args[i], str_from(queue_state_word(state))))
			state++;
		if (state > OPERATOR_HELD)
			return false;
		*states |= 1u << state;
	}
	return true;
}

enum setup_exit cmd_postsuper(struct setup *s)
{
	unsigned states = 0;

	static const struct {
		struct str option;
		enum operator_action action;
		const char *done;
	} options[] = {
		{ STR_INIT("-d"), OPERATOR_DELETE, "Deleted" },
		{ STR_INIT("-h"), OPERATOR_HOLD, "Placed on hold" },
		{ STR_INIT("-H"), OPERATOR_RELEASE, "Released from hold" },
		{ STR_INIT("-r"), OPERATOR_RETRY, "Requeued" },
	};

	struct str value = setup_arg(s, 1);
	if (s->count > 2 && (!str_eq_nocase(value, STR("ALL")) || !parse_states(s, &states)))
		return message_fail_usage(s, "'%s' is not understood", setup_args_from(s, 2).p);
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (!str_eq(setup_arg(s, 0), options[i].option) || !value.n)
			continue;
		if (str_eq(value, STR("-")))
			return act_on_input(s, options[i].action, options[i].done);
		if (s->count > 2)
			return queue_act_where(s, options[i].action, states, options[i].done);
		return queue_act_on(s, options[i].action, &value, 1, options[i].done);
	}
	return message_fail_usage(s, "'%" STR_FMT "' is not understood", STR_ARG(setup_arg(s, 0)));
}
