#include "roles/mailbox_recent.h"

#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "store/mailbox_ipc.h"

static struct generation {
	struct arena arena;
	struct map seen;
} now, before;

static void empty(struct generation *g)
{
	map_done(&g->seen);
	map_init(&g->seen);
	arena_done(&g->arena);
}

void mailbox_recent_init(void)
{
	map_init(&now.seen);
	map_init(&before.seen);
}

void mailbox_recent_done(void)
{
	mailbox_recent_forget();
	map_done(&now.seen);
	map_done(&before.seen);
}

/* Which delivery this is, as bytes. */
static struct str key(const struct mailbox_deliver_in *in, struct arena *a)
{
	const size_t fixed = sizeof(in->id) + sizeof(in->part);
	char *p = arena_alloc(a, fixed + in->account.n);

	memcpy(p, &in->id, sizeof(in->id));
	memcpy(p + sizeof(in->id), &in->part, sizeof(in->part));
	memcpy(p + fixed, in->account.p, in->account.n);
	return str_of(p, fixed + in->account.n);
}

void mailbox_recent_add(const struct mailbox_deliver_in *in)
{
	map_put(&now.seen, key(in, &now.arena), &now);
}

bool mailbox_recent_has(const struct mailbox_deliver_in *in)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str k = key(in, &a);

	return map_get(&now.seen, k) || map_get(&before.seen, k);
}

void mailbox_recent_checkpoint(void)
{
	empty(&before);
	before = now;
	now = (struct generation){ 0 };
	map_init(&now.seen);
}

void mailbox_recent_forget(void)
{
	empty(&now);
	empty(&before);
}
