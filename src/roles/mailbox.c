/* mailbox: everything on stored mail. Delivery from the queue, and IMAP and POP3 sessions after
 * their login. All work for one account goes to the same worker.
 *
 * May: read and write below /var/mail and in the indexes, talk to clients whose connections it was
 * given, call auth. May not: connect, see account files, the journal or keys, start programs. */
#include "roles/mailbox.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/group.h"
#include "core/ipc.h"
#include "core/io.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/sandbox.h"
#include "core/settings.h"
#include "core/work.h"
#include "roles/mailbox_recent.h"
#include "roles/role.h"
#include "store/fts.h"
#include "store/mailbox.h"
#include "store/mailbox_ipc.h"
#include "store/store.h"

/* How often the settling fiber looks whether it was forgotten. */
#define SETTLE_LOOK_MS 60000

struct mailbox_role mailbox_role;
static struct arena role_memory;
static struct str index_root, fts_root;

static void report_store(void *ctx, enum store_report kind, const char *account, const char *dir,
			 const char *what)
{
	auto_arena struct arena a = ARENA_INIT;

	(void)ctx;
	log_event(kind == STORE_REPAIRED ? LOG_STORE_REPAIRED : LOG_STORE_FAILED,
		  LOG_STR("user", store_account_address(str_from(account), &a)),
		  LOG_STR("reason", arena_printf(&a, "%s: %s", dir, what)));
}

static void work_waits(void)
{
	waitq_wake_all(&mailbox_role.unsettled);
}

/* Each rename dirties a block of the directory that the next sync of anybody has to write: they
 * come together. */
static int may_suspend wait_for_work(void)
{
	int r = waitq_wait(&mailbox_role.unsettled, "files to rename",
			   loop_deadline(SETTLE_LOOK_MS));

	return r == 0 ? fiber_sleep(settings_get()->rename_delay) : r;
}

/* Between the work of sessions, directories are made to agree with the indexes. */
static void settle_main(void *arg)
{
	int r = 0;

	(void)arg;
	while (r != -ECANCELED) {
		if (store_pool_settle(mailbox_role.pool))
			r = fiber_yield();
		else
			r = wait_for_work();
	}
}

/* What other programs do to the mailboxes. */
static void notice_main(void *arg)
{
	struct store_pool *pool = arg;
	struct io io;
	int fd = dup(store_pool_notice_fd(pool));

	if (fd < 0)
		return;
	io_init(&io, fd);
	while (io_wait_readable(&io, loop_deadline(SETTLE_LOOK_MS)) != -ECANCELED)
		store_pool_notice(pool);
	io_done(&io);
}

static int mailbox_prepare(unsigned instance, struct err *err)
{
	const struct settings *set = settings_get();

	mailbox_role.instance = instance;

	group_init(&mailbox_role.ipc);
	mailbox_role.auth = ipc_client_new("auth", &mailbox_role.ipc);
	mailbox_role.peers =
		ARENA_NEW_ARRAY(&role_memory, struct ipc_client *, (size_t)set->workers);
	for (unsigned i = 0; i < (unsigned)set->workers; i++)
		mailbox_role.peers[i] = ipc_client_new("mailbox", &mailbox_role.ipc);
	map_init(&mailbox_role.quotas);
	mailbox_recent_init();
	group_init(&mailbox_role.sessions);
	map_init(&mailbox_role.users);
	int r = fd_make_dirs(set->mail_dir.p, 0700, err);
	if (r < 0)
		return r;
	r = mailbox_volumes_add(&mailbox_role.volumes, set->mail_dir.p, err);
	if (r < 0)
		return r;
	index_root = arena_printf(&role_memory, "%" STR_FMT "/index", STR_ARG(set->state_dir));
	r = fd_make_dirs(index_root.p, 0700, err);
	if (r < 0)
		return r;
	waitq_init(&mailbox_role.unsettled);
	mailbox_role.pool = store_pool_new(&(struct store_settings){
		.host = set->host,
		.index_root = index_root,
		.unsettled = work_waits,
		.report = report_store,
	});
	mailbox_role.guests = store_pool_new(
		&(struct store_settings){ .host = set->host, .report = report_store });
	return mailbox_index_prepare(&role_memory, &fts_root, err);
}

/* What an earlier process has written may be on volumes that this one has not met yet. An account
 * that is gone has taken its mail along. */
static int add_inherited(const struct mailbox_checkpoint_in *in, struct arena *a, struct err *err)
{
	for (size_t i = 0; i < in->inherited_count; i++) {
		struct str path;
		int r = mailbox_role_path(in->inherited[i].account, a, &path, err);
		if (r == 0)
			r = mailbox_volumes_add(&mailbox_role.volumes, path.p, err);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static int checkpoint(void *ctx, struct mailbox_checkpoint_in *in, struct arena *a,
		      struct mailbox_checkpoint_out *out, struct err *err)
{
	/* More may be found meanwhile: for the next checkpoint. */
	struct mailbox_volumes *now = ARENA_NEW(a, struct mailbox_volumes);
	(void)ctx, (void)out;

	int r = add_inherited(in, a, err);
	if (r < 0)
		return r;
	mailbox_recent_checkpoint();
	*now = mailbox_role.volumes;
	r = work_run(mailbox_volumes_sync, now);
	if (r < 0)
		mailbox_recent_forget();
	return r < 0 ? err_set(err, r, "sync of the mail volume: %s", strerror(-r)) : 0;
}

static const struct mailbox_ops operations = {
	.deliver = mailbox_role_deliver,
	.checkpoint = checkpoint,
	.session = mailbox_role_session,
	.is_full = mailbox_role_is_full,
};

static void mailbox_peer(struct str service, unsigned instance, int socket)
{
	if (str_eq(service, STR("auth")))
		ipc_client_attach(mailbox_role.auth, socket);
	else if (str_eq(service, STR("mailbox")) && instance < (unsigned)settings_get()->workers)
		ipc_client_attach(mailbox_role.peers[instance], socket);
	else
		close(socket);
}

static int mailbox_start(struct group *g, struct err *err)
{
	struct store_pool *pools[] = { mailbox_role.pool, mailbox_role.guests };
	int r = fiber_spawn(g, "settle", settle_main, NULL);

	for (size_t i = 0; i < ARRAY_LEN(pools); i++)
		if (r == 0 && store_pool_notice_fd(pools[i]) >= 0)
			r = fiber_spawn(g, "notice", notice_main, pools[i]);
	if (r == 0 && mailbox_role.fts)
		r = fiber_spawn(g, "index", fts_main, mailbox_role.fts);
	return r < 0 ? err_set(err, r, "too many fibers") : 0;
}

/* Deliveries go on. */
static void mailbox_drain(void)
{
	group_done(&mailbox_role.sessions);
	map_done(&mailbox_role.users);
	while (store_pool_settle(mailbox_role.pool))
		;
}

static void mailbox_end(void)
{
	mailbox_drain();
	group_done(&mailbox_role.ipc);
	mailbox_role_quotas_done();
	mailbox_recent_done();
}

static const struct sandbox_policy *mailbox_sandbox(void)
{
	static const char *paths[4];
	static const struct sandbox_policy policy = { .profile = SANDBOX_FILES, .write = paths };

	paths[0] = settings_get()->mail_dir.p;
	paths[1] = index_root.p;
	paths[2] = mailbox_role.fts ? fts_root.p : NULL;
	return &policy;
}

int main(int argc, char **argv)
{
	static const struct role role = {
		.name = "mailbox",
		.service = &mailbox_service,
		.ops = &operations,
		.prepare = mailbox_prepare,
		.sandbox = mailbox_sandbox,
		.start = mailbox_start,
		.peer = mailbox_peer,
		.drain = mailbox_drain,
		.end = mailbox_end,
	};

	return role_main(&role, argc, argv);
}
