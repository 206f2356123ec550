/* One loaded mailbox as every session of the account in this process shares it, whatever it is
 * stored in: its messages, what changed when, and who looks at it. */
#pragma once

#include "base/list.h"
#include "store/keywords.h"
#include "store/messages.h"
#include "store/store.h"

#define BOX_LOG_MAX 8192 /* changes remembered for views; one that is further behind compares all */

struct box_log_entry {
	uint64_t modseq;
	uint32_t uid;
};

struct store_box {
	struct store_messages messages;
	struct keyword_table keywords;
	unsigned keywords_gen; /* counts changes of the table */
	uint32_t uidvalidity, uidnext;
	uint32_t recent_from; /* no unclaimed message has a smaller UID */
	uint8_t guid[16];
	uint64_t modseq;	   /* of the latest change */
	struct box_log_entry *log; /* by modseq */
	size_t nlog;
	uint64_t log_from; /* every change after this modseq is in the log */
	struct list views;
	bool stale; /* deleted or replaced: views are told -ESTALE */
};

void store_box_init(struct store_box *b);
/* No view is left. */
void store_box_done(struct store_box *b);

/* A change of one or many messages: take a modseq, stamp each record, then notify. */
uint64_t store_box_begin_change(struct store_box *b);
void store_box_stamp(struct store_box *b, struct store_rec *r, uint64_t modseq);

/* Wake those who watch, but not `by`, who made the change. */
void store_box_notify(struct store_box *b, const struct store_view *by);

/* Add a message whose UID is larger than all there; `rec` needs no modseq. */
struct store_rec *store_box_add(struct store_box *b, const struct store_rec *rec,
				const struct store_rec_strings *s, uint64_t modseq);
void store_box_set_recent(struct store_box *b, struct store_rec *r);
void store_box_remove(struct store_box *b, struct store_rec *r, uint64_t modseq);
