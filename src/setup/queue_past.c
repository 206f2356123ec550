#include "setup/queue_past.h"

#include <errno.h>

#include "base/err.h"
#include "base/fd.h"
#include "queue/queue_id.h"

#define FILE_MAX ((size_t)16 << 30)

int queue_past_file(struct setup *s, const char *name, queue_past_fn *each, void *ctx,
		    struct err *err)
{
	auto_arena struct arena a = ARENA_INIT, fields = ARENA_INIT;
	struct str text, path = arena_printf(&a, "%" STR_FMT "/" HISTORY_DIR "/%s",
					     STR_ARG(s->state_dir), name);

	int r = fd_read_file(path.p, &a, FILE_MAX, &text, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	STR_FOREACH_LINE (text, line) {
		struct history_line l;
		if (history_parse(line, &fields, &l))
			each(ctx, &l);
		arena_reset(&fields);
	}
	return 0;
}

int queue_past_each(struct setup *s, queue_past_fn *each, void *ctx, struct err *err)
{
	int r = queue_past_file(s, HISTORY_OLD, each, ctx, err);

	return r < 0 ? r : queue_past_file(s, HISTORY_CURRENT, each, ctx, err);
}

static struct str key_of(struct arena *a, uint64_t id, struct str recipient)
{
	return arena_printf(a, "%s %" STR_FMT, queue_id_text(id).c, STR_ARG(recipient));
}

struct reason {
	struct str key, text;
};

static void note(void *ctx, const struct history_line *l)
{
	struct queue_reasons *r = ctx;
	auto_arena struct arena a = ARENA_INIT;
	struct str key = key_of(&a, l->id, l->fields[HISTORY_RECIPIENT]);

	/* What is sent or refused does not wait. */
	if (!str_eq(l->kind, STR("deferred"))) {
		map_remove(&r->by_recipient, key);
		return;
	}
	struct reason *reason = map_get(&r->by_recipient, key);
	if (!reason) {
		reason = ARENA_NEW(&r->arena, struct reason);
		reason->key = arena_str(&r->arena, key);
		map_put(&r->by_recipient, reason->key, reason);
	}
	if (!str_eq(reason->text, l->fields[HISTORY_TEXT]))
		reason->text = arena_str(&r->arena, l->fields[HISTORY_TEXT]);
}

void queue_reasons_load(struct queue_reasons *r, struct setup *s)
{
	struct err err;

	*r = (struct queue_reasons){ 0 };
	map_init(&r->by_recipient);
	(void)!queue_past_each(s, note, r, &err);
}

void queue_reasons_done(struct queue_reasons *r)
{
	map_done(&r->by_recipient);
	arena_done(&r->arena);
}

struct str queue_reasons_find(const struct queue_reasons *r, uint64_t id, struct str recipient)
{
	auto_arena struct arena a = ARENA_INIT;
	const struct reason *reason = map_get(&r->by_recipient, key_of(&a, id, recipient));

	return reason ? reason->text : STR_NONE;
}
