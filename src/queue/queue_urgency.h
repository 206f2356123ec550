/* How soon a message has its turn among others, from its priority (RFC 6710). Each urgency has a
 * line of its own wherever messages wait for their turn; the urgent line is served first most of
 * the time, and no line is ever left out for long. */
#pragma once

#include "base/check.h"
#include "queue/envelope.h"

/* In the lowest bits of a source's key. */
enum queue_urgency {
	QUEUE_NORMAL,
	QUEUE_URGENT,
	QUEUE_LEISURELY,
	QUEUE_URGENCIES,
};

#define QUEUE_URGENCY_BITS 2

static inline enum queue_urgency queue_urgency_of(uint32_t flags)
{
	int priority = envelope_priority(flags);

	return priority > 0 ? QUEUE_URGENT : priority < 0 ? QUEUE_LEISURELY : QUEUE_NORMAL;
}

static inline enum queue_urgency queue_urgency_of_source(uint32_t key)
{
	return key & ((1u << QUEUE_URGENCY_BITS) - 1);
}

/* Whose turn it is: the i-th choice, where those before have nothing. */
static inline enum queue_urgency queue_urgency_choice(unsigned turn, unsigned i)
{
	/* Of 16 turns, 10 for the urgent, 5 for most, 1 for what has time. */
	static const char turns[] = "unuunuunuunuunul";
	static const enum queue_urgency normal[] = { QUEUE_NORMAL, QUEUE_URGENT, QUEUE_LEISURELY };
	static const enum queue_urgency urgent[] = { QUEUE_URGENT, QUEUE_NORMAL, QUEUE_LEISURELY };
	static const enum queue_urgency leisurely[] = { QUEUE_LEISURELY, QUEUE_URGENT,
							QUEUE_NORMAL };

	check(i < QUEUE_URGENCIES);
	switch (turns[turn % (sizeof(turns) - 1)]) {
	case 'u':
		return urgent[i];
	case 'n':
		return normal[i];
	default:
		return leisurely[i];
	}
}
