/* What an account's mailboxes hold. */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "setup/mail_usage.h"
#include "setup/mailbox_account.h"
#include "setup/message.h"

static const char *use_of(uint32_t attrs)
{
	return attrs & STORE_BOX_DRAFTS	 ? "Drafts"
	       : attrs & STORE_BOX_JUNK	 ? "Junk"
	       : attrs & STORE_BOX_TRASH ? "Trash"
	       : attrs & STORE_BOX_SENT	 ? "Sent"
					 : "";
}

static void print_row(struct mailbox_account *m, const struct store_box_entry *e)
{
	struct store_status st;
	struct err err;

	if (store_box_status(m->store, e->name, &st, &err) < 0) {
		message(m->setup, MESSAGE_ERROR, "%s: %s", e->name.p, err.text);
		return;
	}
	printf("%9" PRIu32 " %9" PRIu32 " %7s  %-7s %c  %" STR_FMT "\n", st.messages, st.unseen,
	       mail_usage_format(st.bytes, &m->setup->arena), use_of(e->attrs),
	       e->attrs & STORE_BOX_SUBSCRIBED ? '*' : ' ', STR_ARG(e->name));
}

enum setup_exit cmd_mailbox_list(struct setup *s)
{
	struct mailbox_account m;
	struct store_box_list boxes;

	enum setup_exit r = mailbox_account_open(s, &m);
	if (r != SETUP_OK)
		return r;
	r = mailbox_account_names(&m, s->count, &boxes);
	if (r == SETUP_OK) {
		printf(" messages    unseen    size  use     sub mailbox\n");
		for (size_t i = 0; i < boxes.n; i++)
			print_row(&m, &boxes.v[i]);
	}
	mailbox_account_close(&m);
	return r;
}

static void print_status(struct str name, const struct store_status *st)
{
	printf("%" STR_FMT "\n", STR_ARG(name));
	printf("  messages     %" PRIu32 " (%" PRIu32 " unseen, %" PRIu32 " deleted)\n",
	       st->messages, st->unseen, st->deleted);
	printf("  bytes        %" PRIu64 "\n", st->bytes);
	printf("  uidvalidity  %" PRIu32 "\n  uidnext      %" PRIu32 "\n", st->uidvalidity,
	       st->uidnext);
	printf("  mailbox id   ");
	for (int i = 0; i < 16; i++)
		printf("%02x", st->guid[i]);
	printf("\n");
}

enum setup_exit cmd_mailbox_status(struct setup *s)
{
	struct mailbox_account m;
	struct store_box_list boxes;
	struct store_status st;
	struct err err;

	enum setup_exit r = mailbox_account_open(s, &m);
	if (r != SETUP_OK)
		return r;
	r = mailbox_account_names(&m, 1, &boxes);
	for (size_t i = 0; i < boxes.n && r == SETUP_OK; i++) {
		if (store_box_status(m.store, boxes.v[i].name, &st, &err) < 0)
			r = message_fail(s, "%s: %s", boxes.v[i].name.p, err.text);
		else
			print_status(boxes.v[i].name, &st);
	}
	mailbox_account_close(&m);
	return r;
}
