/* The full-text indexes of a mailbox worker. */
#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/log.h"
#include "core/settings.h"
#include "roles/mailbox.h"
#include "store/fts.h"
#include "store/store.h"

static void report(const struct fts_report *r)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str user = store_account_address(str_from(r->account), &a);

	switch (r->kind) {
	case FTS_PROGRESS:
		log_event(LOG_INDEX_PROGRESS, LOG_STR("user", user),
			  LOG_INT("done", (int64_t)r->done), LOG_INT("total", (int64_t)r->total));
		return;
	case FTS_DAMAGED:
		log_event(LOG_INDEX_DAMAGED, LOG_STR("user", user), LOG_CSTR("reason", r->reason));
		return;
	case FTS_FAILED:
		log_event(LOG_INDEX_FAILED, LOG_STR("user", user), LOG_CSTR("reason", r->reason));
		return;
	}
}

int mailbox_index_prepare(struct arena *a, struct str *root, struct err *err)
{
	const struct settings *set = settings_get();

	*root = arena_printf(a, "%" STR_FMT "/fts", STR_ARG(set->state_dir));
	if (!set->search_index)
		return 0;
	int r = fd_make_dirs(root->p, 0700, err);
	if (r < 0)
		return r;
	mailbox_role.fts = fts_new(&(struct fts_settings){
		.root = *root,
		.mail_root = set->mail_dir,
		.pool = mailbox_role.pool,
		.report = report,
		.calm_ms = set->search_index_delay,
	});
	return 0;
}
