/* How far the full-text index of an account has come, and waiting for the end of it. The server
 * fills it in the background; what is not in yet a search reads. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "setup/mailbox_account.h"
#include "setup/message.h"
#include "setup/progress.h"
#include "store/fts.h"

#define LOOK_MS	   500
#define PATIENCE_S 60 /* so long nothing may happen while we wait */

struct reach {
	uint64_t messages, to_do;
};

/* What is in is up to a UID in each mailbox. */
static int reach_of(struct mailbox_account *m, struct str name, const struct fts_marks *marks,
		    struct reach *out, struct err *err)
{
	struct store_status st;
	struct store_view *v;

	int r = store_box_status(m->store, name, &st, err);
	if (r < 0)
		return r;
	*out = (struct reach){ .messages = st.messages };
	uint32_t uid = fts_marks_uid(marks, st.guid);
	if (uid + 1 >= st.uidnext)
		return 0;
	r = store_view_open(m->store, name, STORE_VIEW_READ_ONLY | STORE_VIEW_KEEP_RECENT, &v, err);
	if (r < 0)
		return r;
	out->to_do = store_view_count(v) + 1 - store_view_seq_from(v, uid + 1);
	store_view_close(v);
	return 0;
}

/* One look at all mailboxes; `print` lists them. */
static int look(struct mailbox_account *m, bool print, struct reach *sum, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct fts_marks marks = { 0 };
	struct store_box_list boxes;
	struct reach one;

	*sum = (struct reach){ 0 };
	int r = fts_marks(fts_file(m->setup->text_index_dir, m->path, &a), &a, &marks, err);
	if (r < 0 && r != -ENOENT)
		return r;
	r = store_box_list(m->store, &a, &boxes, err);
	if (r < 0)
		return r;
	if (print)
		printf(" messages   indexed     to do  mailbox\n");
	for (size_t i = 0; i < boxes.n; i++) {
		if (!(boxes.v[i].attrs & STORE_BOX_EXISTS))
			continue;
		r = reach_of(m, boxes.v[i].name, &marks, &one, err);
		if (r < 0)
			return r;
		sum->messages += one.messages;
		sum->to_do += one.to_do;
		if (print)
			printf("%9" PRIu64 " %9" PRIu64 " %9" PRIu64 "  %" STR_FMT "\n",
			       one.messages, one.messages - one.to_do, one.to_do,
			       STR_ARG(boxes.v[i].name));
	}
	return 0;
}

static int wait_for_end(struct mailbox_account *m, struct reach *sum, struct err *err)
{
	struct progress p = progress_begin(STR("full-text index"));
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	uint64_t least = sum->to_do;
	int r = 0;

	for (int still = 0; r == 0 && sum->to_do; still++) {
		if (still >= PATIENCE_S * 1000 / LOOK_MS) {
			r = err_set(err, -ETIMEDOUT,
				    "nothing was added for %d s: does the server run, and has the "
				    "account been used since it started?",
				    PATIENCE_S);
			break;
		}
		progress_show(&p, sum->messages - sum->to_do, sum->messages);
		nanosleep(&pause, NULL);
		r = look(m, false, sum, err);
		if (sum->to_do < least) {
			least = sum->to_do;
			still = 0;
		}
	}
	progress_end(&p);
	return r;
}

enum setup_exit cmd_mailbox_fulltext(struct setup *s)
{
	struct mailbox_account m;
	struct reach sum;
	struct err err;
	bool wait = str_eq(setup_arg(s, 1), STR("--wait"));

	if (s->count > 1 && !wait)
		return message_fail_usage(s, "'%s' is not an option", setup_arg(s, 1).p);
	enum setup_exit exit = mailbox_account_open(s, &m);
	if (exit != SETUP_OK)
		return exit;
	int r = look(&m, !wait, &sum, &err);
	if (r == 0 && wait)
		r = wait_for_end(&m, &sum, &err);
	mailbox_account_close(&m);
	if (r < 0)
		return message_fail(s, "%s", err.text);
	printf("%" STR_FMT ": %" PRIu64 " of %" PRIu64 " messages are in the full-text index\n",
	       STR_ARG(m.address), sum.messages - sum.to_do, sum.messages);
	return SETUP_OK;
}
