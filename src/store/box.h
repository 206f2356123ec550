/* One loaded mailbox as every session of the account in this process shares it, whatever it is
 * stored in: its messages, what changed when, and who looks at it. */
#pragma once

#include "base/list.h"
#include "store/keywords.h"
#include "store/messages.h"
#include "store/store.h"

#define BOX_LOG_MAX  8192  /* changes remembered for views; who is further behind compares all */
#define BOX_GONE_MAX 65536 /* ranges of expunged UIDs remembered for clients that come back */

struct box_log_entry {
	uint64_t modseq;
	uint32_t uid;
};

/* Expunged together. `has_file`: their files were still there. */
struct box_gone {
	uint64_t modseq;
	uint32_t first, last;
	bool has_file;
};

/* UIDs in any order, some of them perhaps twice; all zero: empty. */
struct box_uids {
	uint32_t *v;
	size_t n, cap;
};
void box_uids_put(struct box_uids *uids, uint32_t uid);
void box_uids_done(struct box_uids *uids);

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
	struct box_gone *gone;
	size_t ngone, gone_cap;
	uint64_t gone_from; /* every removal after this modseq is among `gone` */
	struct list views;
	struct store_note note;
	void (*changed)(struct store_box *b); /* for who watches all mailboxes; may be NULL */
	bool stale;			      /* deleted or replaced: views are told -ESTALE */

	/* What an index that keeps the mailbox has not been told. */
	bool indexed;
	uint32_t told_uid;		     /* of the last record it has */
	size_t told_gone;		     /* of `gone` */
	bool told_too_late;		     /* some of `gone` is forgotten already */
	struct box_uids new_marks, new_recs; /* changed in their marks only; in anything */
};

void store_box_init(struct store_box *b);
/* No view is left. */
void store_box_done(struct store_box *b);

/* A change of one or many messages: take a modseq, stamp each record, then notify. */
uint64_t store_box_begin_change(struct store_box *b);
void store_box_stamp(struct store_box *b, struct store_rec *r, uint64_t modseq);

/* Something of the record changed that clients do not see: where its file is; or also its sizes,
 * its date, what is known of its contents. */
void store_box_touch_marks(struct store_box *b, const struct store_rec *r);
void store_box_touch(struct store_box *b, const struct store_rec *r);

/* The index has been told everything. */
void store_box_told(struct store_box *b);

/* Wake those who watch, but not `by`, who made the change. */
void store_box_notify(struct store_box *b, const struct store_view *by);

/* Add a message whose UID is larger than all there; `rec` needs no modseq. */
struct store_rec *store_box_add(struct store_box *b, const struct store_rec *rec,
				const struct store_rec_strings *s, uint64_t modseq);
void store_box_set_recent(struct store_box *b, struct store_rec *r);

/* With `has_file` the record stays as a tombstone that remembers where its file is. */
void store_box_remove(struct store_box *b, struct store_rec *r, uint64_t modseq, bool has_file);

/* Remember a removal. */
void store_box_put_gone(struct store_box *b, struct box_gone gone);
