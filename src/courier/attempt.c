#include "courier/attempt.h"

#include <unistd.h>

#include "base/arena.h"
#include "courier/verdict.h"

static void set_result(struct attempt *t, size_t i, const struct verdict *v)
{
	t->results[i] = (struct courier_result){
		.outcome = (uint8_t)v->outcome,
		.status = arena_str(t->arena, str_from(v->status)),
		.text = arena_str(t->arena, str_from(v->text)),
	};
}

void attempt_settle(struct attempt *t, size_t i, const struct verdict *v)
{
	struct attempt_recipient *r = &t->recipients[i];

	set_result(t, i, v);
	r->tried = true;
	r->answered = true;
	r->settled = v->outcome != COURIER_TRY_AGAIN;
	if (v->trouble == COURIER_BUSY)
		t->trouble = COURIER_BUSY;
}

void attempt_settle_open(struct attempt *t, const struct verdict *v)
{
	for (size_t i = 0; i < t->in->recipients_count; i++)
		if (!t->recipients[i].settled)
			attempt_settle(t, i, v);
}

void attempt_fail(struct attempt *t, const struct verdict *v)
{
	for (size_t i = 0; i < t->in->recipients_count; i++) {
		struct attempt_recipient *r = &t->recipients[i];
		bool waits = r->failed && t->results[i].outcome == COURIER_TRY_AGAIN;
		if (r->settled || r->answered || (waits && v->outcome == COURIER_REFUSED))
			continue;
		set_result(t, i, v);
		r->failed = true;
	}
}

bool attempt_is_open(const struct attempt *t)
{
	for (size_t i = 0; i < t->in->recipients_count; i++)
		if (!t->recipients[i].settled)
			return true;
	return false;
}

void attempt_take_body(struct attempt *t, const struct body *body)
{
	attempt_done(t);
	t->body = *body;
	t->converted = true;
	/* The block was as long as the message is. */
	t->block = arena_alloc(t->arena, BODY_BLOCK);
}

void attempt_done(struct attempt *t)
{
	if (t->converted)
		close(t->body.fd);
	t->converted = false;
}
