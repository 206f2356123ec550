#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/settings.h"
#include "roles/mailbox.h"
#include "roles/mailbox_recent.h"
#include "store/fts.h"
#include "store/mailbox.h"
#include "store/mailbox_ipc.h"
#include "store/store.h"

/* A name that is one directory and no way out. */
static bool is_component(struct str s)
{
	if (s.n == 0 || s.n > 255 || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '/' || (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

int mailbox_role_path(struct str account, struct arena *a, struct str *out, struct err *err)
{
	ssize_t at = str_rfind_byte(account, '@');
	struct str local = str_sub(account, 0, at < 0 ? 0 : (size_t)at);
	struct str domain = str_skip(account, (size_t)(at + 1));

	if (!is_component(local) || !is_component(domain))
		return err_set(err, -EINVAL, "no mailbox can be named after %" STR_FMT,
			       STR_ARG(account));
	*out = arena_printf(a, "%" STR_FMT "/%" STR_FMT "/%" STR_FMT,
			    STR_ARG(settings_get()->mail_dir), STR_ARG(domain), STR_ARG(local));
	return 0;
}

/* Only what will never work is refused; everything else may work later. */
static void explain(int error, const struct err *err, struct arena *a,
		    struct mailbox_deliver_out *out)
{
	bool over = error == -EOVERFLOW;
	bool never = over || error == -EINVAL || error == -ENAMETOOLONG;
	bool full = error == -ENOSPC || error == -EDQUOT;

	out->outcome = never ? MAILBOX_REFUSED : MAILBOX_TRY_AGAIN;
	out->status = over    ? STR("5.2.2")
		      : never ? STR("5.2.0")
		      : full  ? STR("4.3.1")
			      : STR("4.3.0");
	out->text = arena_printf(a, "%s", err->text);
}

/* What was tried before may be there, and count. */
static bool is_over_quota(const struct mailbox_deliver_in *in, struct store *s, uint64_t limit,
			  struct store_usage *used)
{
	struct err err;

	return limit && !in->replay && store_usage(s, used, &err) == 0 &&
	       !mailbox_role_fits(limit, used->bytes, in->length);
}

static int deliver_into(const struct mailbox_deliver_in *in, struct store *s, struct arena *a,
			struct store_delivered *done, struct err *err)
{
	/* RFC 5321 4.4: final delivery writes the reverse-path on top. */
	struct store_delivery d = {
		.box = STR("INBOX"),
		.id = in->id,
		.part = in->part,
		.create = true,
		.first_attempt = !in->replay,
		.head = arena_printf(
			a, "Return-Path: <%" STR_FMT ">\r\nDelivered-To: %" STR_FMT "\r\n",
			STR_ARG(in->sender), STR_ARG(in->address)),
		.fd = in->segment,
		.offset = in->offset,
		.length = in->length,
	};
	return store_deliver(s, &d, done, err);
}

/* -EOVERFLOW: the account's quota. */
static int may_suspend deliver(const struct mailbox_deliver_in *in, struct arena *a,
			       struct store_delivered *done, struct err *err)
{
	struct store_usage used = { 0 };
	struct str path;
	struct store *s;
	int r = mailbox_role_path(in->account, a, &path, err);

	/* Asked first: nothing is open while others run. */
	uint64_t limit = r == 0 ? mailbox_role_quota(in->account) : 0;
	if (r == 0)
		r = store_open(mailbox_role.pool, path, &s, err);
	if (r < 0)
		return r;
	if (is_over_quota(in, s, limit, &used))
		r = err_set(err, -EOVERFLOW, "Quota exceeded (mailbox for user is full)");
	else
		r = deliver_into(in, s, a, done, err);
	if (r == 0 && limit && !in->replay)
		mailbox_role_warn(s, in->account, limit, used.bytes, used.bytes + done->size);
	store_close(s);
	/* Whatever is delivered is on a volume that the next checkpoint knows. */
	if (r == 0)
		fts_notice(mailbox_role.fts, path, FTS_ADDED);
	return r < 0 ? r : mailbox_volumes_add(&mailbox_role.volumes, path.p, err);
}

int mailbox_role_deliver(void *ctx, struct mailbox_deliver_in *in, struct arena *a,
			 struct mailbox_deliver_out *out, struct err *err)
{
	struct store_delivered done = { 0 };
	(void)ctx;

	int64_t before = loop_now();
	int r = 0;
	if (in->replay && mailbox_recent_has(in))
		done.repeated = true;
	else
		r = deliver(in, a, &done, err);
	if (r < 0) {
		explain(r, err, a, out);
		return 0;
	}
	metric_observe(METRIC_DELIVERY_TIME, (uint64_t)(loop_now() - before));
	if (!done.repeated) {
		metric_add(METRIC_DELIVERIES, 1);
		metric_add(METRIC_DELIVERY_BYTES, in->length);
	}
	mailbox_recent_add(in);
	out->outcome = MAILBOX_DELIVERED;
	out->status = STR("2.0.0");
	out->text = done.repeated ? STR("found in INBOX from before") : STR("delivered to INBOX");
	return 0;
}
