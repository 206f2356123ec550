/* What accounts may store: auth knows, and is asked again after a moment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/auth_ipc.h"
#include "base/arena.h"
#include "base/err.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/settings.h"
#include "mime/date.h"
#include "roles/mailbox.h"
#include "store/mailbox_ipc.h"
#include "store/store.h"

#define KNOWN_MS  5000
#define KNOWN_MAX 10000

struct known {
	uint64_t limit;
	int64_t until;
	size_t n;
	char account[];
};

/* One at a time: the map must not change while it is visited. */
void mailbox_role_quotas_done(void)
{
	for (struct map_slot *it = map_next(&mailbox_role.quotas, NULL); it;
	     it = map_next(&mailbox_role.quotas, it))
		free(it->value);
	map_done(&mailbox_role.quotas);
	map_init(&mailbox_role.quotas);
}

static void remember(struct str account, uint64_t limit)
{
	struct known *k = map_get(&mailbox_role.quotas, account);

	if (!k) {
		if (mailbox_role.quotas.count >= KNOWN_MAX)
			mailbox_role_quotas_done();
		k = malloc(sizeof(*k) + account.n);
		if (!k)
			check_no_memory();
		k->n = account.n;
		memcpy(k->account, account.p, account.n);
		map_put(&mailbox_role.quotas, str_of(k->account, k->n), k);
	}
	k->limit = limit;
	k->until = loop_deadline(KNOWN_MS);
}

uint64_t mailbox_role_quota(struct str account)
{
	auto_arena struct arena a = ARENA_INIT;
	struct auth_account_in in = { .account = account };
	struct auth_account_out out;
	struct err err = { 0 };

	if (!settings_get()->enable_quotas)
		return 0;
	const struct known *k = map_get(&mailbox_role.quotas, account);
	if (k && loop_now() < k->until)
		return k->limit;
	int r = auth_account(mailbox_role.auth, &in, &a, &out, &err);
	if (r == 0) {
		remember(account, out.quota);
		return out.quota;
	}
	if (r != -ECANCELED)
		log_event(LOG_CALL_FAILED, LOG_CSTR("what", "quota"), LOG_REASON(&err));
	/* What was known a moment ago is better than nothing. */
	k = map_get(&mailbox_role.quotas, account);
	return k ? k->limit : 0;
}

bool mailbox_role_fits(uint64_t limit, uint64_t used, uint64_t size)
{
	return used < limit && size <= limit - used + limit / 10;
}

int mailbox_role_is_full(void *ctx, struct mailbox_is_full_in *in, struct arena *a,
			 struct mailbox_is_full_out *out, struct err *err)
{
	struct store_usage used;
	struct str path;
	struct store *s;
	(void)ctx;

	uint64_t limit = mailbox_role_quota(in->account);
	if (!limit)
		return 0;
	int r = mailbox_role_path(in->account, a, &path, err);
	if (r == 0)
		r = store_open(mailbox_role.pool, path, &s, err);
	if (r < 0)
		return r;
	r = store_usage(s, &used, err);
	store_close(s);
	out->full = r == 0 && !mailbox_role_fits(limit, used.bytes, in->size);
	return r;
}

static struct str warning_text(struct arena *a, struct str account, unsigned percent)
{
	struct mime_date now = { .unix_s = (int64_t)time(NULL) };
	struct str domain = str_skip(account, (size_t)(str_rfind_byte(account, '@') + 1));
	struct buf date;

	buf_init(&date, a, 100);
	mime_date_write(&date, &now);
	return arena_printf(a,
			    "From: postmaster@%" STR_FMT "\r\nTo: %" STR_FMT
			    "\r\nSubject: quota warning\r\nDate: %" STR_FMT
			    "\r\n\r\nYour mailbox is now %u%% full.\r\n",
			    STR_ARG(domain), STR_ARG(account), STR_ARG(buf_str(&date)), percent);
}

/* As docker-mailserver does it, beyond all limits. */
void mailbox_role_warn(struct store *s, struct str account, uint64_t limit, uint64_t before,
		       uint64_t after)
{
	static const unsigned steps[] = { 95, 80 };
	auto_arena struct arena a = ARENA_INIT;
	struct store_append_meta meta = { .date = INT64_MIN, .lines = STORE_LINES_TEXT };
	struct store_append_args args = { .a = &a };
	struct store_appended done;
	struct store_append *ap;
	unsigned percent = 0;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(steps) && !percent; i++)
		if (before < limit / 100 * steps[i] && after >= limit / 100 * steps[i])
			percent = steps[i];
	if (!percent || store_append_begin(s, STR("INBOX"), &ap, &err) < 0)
		return;
	if (store_append_message(ap, &meta, &err) < 0 ||
	    store_append_write(ap, warning_text(&a, account, percent), &err) < 0)
		store_append_abort(ap);
	else if (store_append_finish(ap, &args, &done, &err) < 0)
		log_event(LOG_CALL_FAILED, LOG_CSTR("what", "quota warning"), LOG_REASON(&err));
}
