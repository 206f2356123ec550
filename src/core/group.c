#include "core/group.h"

#include "core/loop.h"
#include "core/scheduler.h"

void group_init(struct group *g)
{
	list_init(&g->fibers);
	g->count = 0;
	waitq_init(&g->ended);
}

int group_join(struct group *g, int64_t deadline)
{
	while (g->count) {
		int r = waitq_wait(&g->ended, "group", deadline);
		if (r < 0)
			return r;
	}
	return 0;
}

void group_cancel(struct group *g)
{
	fiber_cancel_list(&g->fibers);
}

void group_interrupt(struct group *g)
{
	fiber_interrupt_list(&g->fibers);
}

void group_done(struct group *g)
{
	group_cancel(g);
	while (g->count)
		waitq_wait_uncancelled(&g->ended, "group end");
}
