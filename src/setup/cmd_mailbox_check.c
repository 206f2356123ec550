/* Reading all of an account's mail to see whether it is well, and making its indexes again. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "setup/mail_usage.h"
#include "setup/mailbox_account.h"
#include "setup/message.h"
#include "setup/progress.h"
#include "store/fts.h"

static void show(void *ctx, uint32_t done, uint32_t all)
{
	progress_show(ctx, done, all);
}

static enum setup_exit check_one(struct mailbox_account *m, struct str name)
{
	struct progress p = progress_begin(name);
	struct store_verified v;
	struct err err;

	int r = store_box_verify(m->store, name, (struct store_progress){ show, &p }, &v, &err);
	progress_end(&p);
	if (r < 0)
		return message_fail(m->setup, "%s: %s", name.p, err.text);
	printf("%" STR_FMT ": %" PRIu32 " messages", STR_ARG(name), v.messages);
	if (v.unreadable)
		printf(", %" PRIu32 " cannot be read", v.unreadable);
	if (v.wrong_size)
		printf(", %" PRIu32 " of another size than their names say", v.wrong_size);
	printf(v.unreadable || v.wrong_size ? "\n" : ", all well\n");
	return v.unreadable ? SETUP_ERROR : SETUP_OK;
}

/* Failures of one mailbox do not keep the others from their turn. */
static enum setup_exit each(struct mailbox_account *m,
			    enum setup_exit (*one)(struct mailbox_account *m, struct str name))
{
	struct store_box_list boxes;

	enum setup_exit r = mailbox_account_names(m, 1, &boxes);
	if (r != SETUP_OK)
		return r;
	for (size_t i = 0; i < boxes.n; i++)
		if (one(m, boxes.v[i].name) != SETUP_OK)
			r = SETUP_ERROR;
	return r;
}

enum setup_exit cmd_mailbox_check(struct setup *s)
{
	struct mailbox_account m;

	enum setup_exit r = mailbox_account_open(s, &m);
	if (r != SETUP_OK)
		return r;
	r = each(&m, check_one);
	/* What was mended on the way is a failure too. */
	if (m.findings)
		r = SETUP_ERROR;
	mailbox_account_close(&m);
	return r;
}

static enum setup_exit reindex_one(struct mailbox_account *m, struct str name)
{
	struct progress p = progress_begin(name);
	struct err err;

	int r = store_box_reindex(m->store, name, (struct store_progress){ show, &p }, &err);
	progress_end(&p);
	if (r < 0 && r != -EBUSY)
		return message_fail(m->setup, "%s: %s", name.p, err.text);
	printf("%" STR_FMT ": %s\n", STR_ARG(name), r < 0 ? err.text : "done");
	return SETUP_OK;
}

enum setup_exit cmd_mailbox_reindex(struct setup *s)
{
	struct mailbox_account m;
	struct err err;

	enum setup_exit r = mailbox_account_open(s, &m);
	if (r != SETUP_OK)
		return r;
	r = each(&m, reindex_one);
	if (s->count == 1 && fts_retire(fts_file(s->text_index_dir, m.path, &s->arena), &err) < 0)
		r = message_fail(s, "%s", err.text);
	mailbox_account_close(&m);
	return r;
}

enum setup_exit cmd_quota_recount(struct setup *s)
{
	struct mailbox_account m;
	struct store_usage usage;
	struct err err;

	enum setup_exit r = mailbox_account_open(s, &m);
	if (r != SETUP_OK)
		return r;
	if (store_usage_recount(m.store, &usage, &err) < 0)
		r = message_fail(s, "%s", err.text);
	else
		printf("%" STR_FMT ": %" PRIu64 " messages, %s\n", STR_ARG(m.address),
		       usage.messages, mail_usage_format(usage.bytes, &s->arena));
	mailbox_account_close(&m);
	return r;
}
