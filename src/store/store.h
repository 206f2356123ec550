/* The mail store: what delivery, IMAP, POP3 and the setup command know of stored mail.
 *
 * 	store_pool      everything open in this process, with the limits they share
 * 	store           one account
 * 	(mailbox)       shared by all views of it, invisible here; kept loaded while cheap
 * 	store_view      one session's picture of a mailbox: sequence numbers, \Recent
 * 	store_append    messages on their way in, seen by nobody before store_append_finish
 * 	store_commit    what has to reach the disk before the peer may be told "done"
 *
 * Threads. All calls are made from one thread, that of the loop. They block for as long as plain
 * file operations do, they never wait for a peer and never suspend. Nothing is synced: mail from
 * the queue is made durable by the journal, what IMAP does by store_commit. (The small files beside
 * the mail are, when they are replaced: rare.) Locks that other programs hold on a mailbox are
 * waited for at most 50 ms (-EAGAIN).
 *
 * Names. A mailbox name is UTF-8 with '.' between its levels, "INBOX" in any case names the
 * inbox. Every name from outside is checked; none leads out of the account's directory.
 *
 * Errors, everywhere: -ENOENT no such mailbox or message, -EEXIST it exists already, -EINVAL or
 * -ENAMETOOLONG the name cannot be a mailbox, -E2BIG a limit of the account (mailboxes, depth,
 * keywords), -EROFS the view was opened read-only, -ESTALE the view's mailbox was deleted or
 * replaced: close the view; -EAGAIN another program holds a lock: try again later; -ENOSPC,
 * -EDQUOT, -EIO and others from the system. What a failing call was asked to do has not happened,
 * unless it says otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "base/str.h"

struct arena;
struct buf;
struct err;
struct mime_facts;
struct store_pool;
struct store;
struct store_view;
struct store_append;
struct store_commit;

#define STORE_NAME_MAX	   1000	 /* bytes of a mailbox name; on disk 254 after its encoding */
#define STORE_DEPTH_MAX	   20	 /* levels of a mailbox name */
#define STORE_BOXES_MAX	   10000 /* mailboxes of an account */
#define STORE_KEYWORDS_MAX 26	 /* keywords of a mailbox: the letters of Maildir file names */
#define STORE_KEYWORD_LEN  100	 /* bytes of a keyword */

/* Message flags. \Recent belongs to a view, not to the message: store_view_message adds it. */
enum store_flag {
	STORE_SEEN = 1 << 0,
	STORE_ANSWERED = 1 << 1,
	STORE_FLAGGED = 1 << 2,
	STORE_DELETED = 1 << 3,
	STORE_DRAFT = 1 << 4,
	STORE_RECENT = 1 << 5,
};
#define STORE_FLAGS_ALL (STORE_SEEN | STORE_ANSWERED | STORE_FLAGGED | STORE_DELETED | STORE_DRAFT)

/* UIDs as ascending, disjoint ranges: what a client names, what an operation did. Sequence sets
 * become such ranges through store_view_uid: between two messages of a view there is no UID it
 * does not have. */
struct store_uid_range {
	uint32_t first, last; /* both belong to it, first <= last, first > 0 */
};

struct store_uids {
	struct store_uid_range *v;
	size_t n;
	size_t cap;
};

/* Add a UID larger than all in the set; the ranges live in `a`. */
void store_uids_add(struct arena *a, struct store_uids *set, uint32_t uid);
void store_uids_add_range(struct arena *a, struct store_uids *set, uint32_t first, uint32_t last);
bool store_uids_has(const struct store_uids *set, uint32_t uid);

enum store_report {
	STORE_REPAIRED, /* damage was found and is mended: somebody should look */
	STORE_DAMAGED,	/* damage that stays; the store works around it */
};

/* Called from inside any call here, once per finding, with the path of the account and the
 * directory in it. It must not call the store. */
typedef void store_report_fn(void *ctx, enum store_report kind, const char *account,
			     const char *dir, const char *what);

struct store_special {
	struct str name; /* "Trash" */
	uint32_t attr;	 /* STORE_BOX_TRASH */
};

struct store_settings {
	struct str host;	 /* in the names of new files; short, without '/' ':' ',' */
	unsigned loaded_max;	 /* mailboxes kept loaded without a view; 0: 256 */
	size_t loaded_bytes;	 /* memory these may take; 0: 64 MiB */
	struct str index_root;	 /* a directory for indexes; empty: none are kept */
	struct str boot;	 /* which boot of the system this is; empty: the kernel is asked */
	void (*unsettled)(void); /* there is work for store_pool_settle; may be NULL */
	store_report_fn *report; /* may be NULL */
	void *report_ctx;
	const struct store_special *special; /* NULL: Drafts, Junk, Trash, Sent */
	size_t nspecial;
};

/* Never fails; the strings in `set` are copied. */
struct store_pool *store_pool_new(const struct store_settings *set);
/* All stores are closed. NULL is fine. */
void store_pool_free(struct store_pool *p);

/* Readable when files of other programs may have come or gone (-1: never); store_pool_notice looks
 * at what happened and calls those who watch. */
int store_pool_notice_fd(const struct store_pool *p);
void store_pool_notice(struct store_pool *p);

/* Flags and removals are in the index at once, and in the directories a little later: some of that
 * is done now, for well under a millisecond. True: there is more to do; to be called again once
 * others had their turn. */
bool store_pool_settle(struct store_pool *p);

/* Of an account whose mail lives at `path` (/var/mail/example.org/user): its place below another
 * root, and "user@example.org". In `a`. */
struct str store_account_below(struct str root, struct str path, struct arena *a);
struct str store_account_address(struct str path, struct arena *a);

/* The account whose mail lives at `path` (/var/mail/example.org/user). Creates what is missing:
 * the directory, its inbox and `home`. Two opens of one path share all state. -EINVAL for a path
 * that is not absolute. */
int must_check store_open(struct store_pool *p, struct str path, struct store **out,
			  struct err *err);
/* Views and appends of it are closed. Keeps recently used mailboxes loaded, within the pool's
 * limits. */
void store_close(struct store *s);

/* Create and subscribe the special-use mailboxes that do not exist. Called when a client first
 * uses the account, not by delivery. Four stat calls when there is nothing to do. */
int must_check store_prepare(struct store *s, struct err *err);

struct store_usage {
	uint64_t messages;
	uint64_t bytes; /* as CRLF text: what quotas count */
};

/* Sum over all mailboxes. Costs two stat calls per mailbox that has not changed since the last
 * call, else one pass over its file names. */
int must_check store_usage(struct store *s, struct store_usage *out, struct err *err);
/* The same from the names of all files, whatever was known, and whoever else has the account open
 * counts anew as well. */
int must_check store_usage_recount(struct store *s, struct store_usage *out, struct err *err);

enum store_box_attr {
	STORE_BOX_EXISTS =
		1 << 0, /* else: only a parent of others, or only subscribed: \NonExistent */
	STORE_BOX_HAS_CHILDREN = 1 << 1,
	STORE_BOX_SUBSCRIBED = 1 << 2,
	STORE_BOX_DRAFTS = 1 << 3,
	STORE_BOX_JUNK = 1 << 4,
	STORE_BOX_TRASH = 1 << 5,
	STORE_BOX_SENT = 1 << 6,
	STORE_BOX_ARCHIVE = 1 << 7,
};
#define STORE_BOX_SPECIAL                                                                          \
	(STORE_BOX_DRAFTS | STORE_BOX_JUNK | STORE_BOX_TRASH | STORE_BOX_SENT | STORE_BOX_ARCHIVE)

struct store_box_entry {
	struct str name;
	uint32_t attrs;
};

struct store_box_list {
	struct store_box_entry *v; /* INBOX first, then by name, parents before children */
	size_t n;
};

/* Every mailbox, every missing parent of one and every subscribed name; all in `a`. Matching
 * patterns is the caller's. */
int must_check store_box_list(struct store *s, struct arena *a, struct store_box_list *out,
			      struct err *err);

/* Is the name well formed (-EINVAL, -ENAMETOOLONG, -E2BIG)? and is there such a mailbox
 * (-ENOENT)? */
int must_check store_box_check(struct store *s, struct str name, struct err *err);

/* A new mailbox has a UIDVALIDITY no earlier one of this account had. -EEXIST. */
int must_check store_box_create(struct store *s, struct str name, struct err *err);

/* The mailbox with its messages, not its children. Its views become -ESTALE. INBOX: -EPERM. */
int must_check store_box_delete(struct store *s, struct str name, struct err *err);

/* With all children; keeps UIDs and UIDVALIDITY; open views stay valid. Renaming INBOX moves its
 * messages into a new mailbox and leaves INBOX and its children (RFC 3501 6.3.5). A child that
 * cannot be moved stops the rename; those before it have moved. Subscriptions are not touched. */
int must_check store_box_rename(struct store *s, struct str from, struct str to, struct err *err);

/* The name need not exist. Already so is success. */
int must_check store_box_subscribe(struct store *s, struct str name, bool on, struct err *err);

/* The first existing mailbox with this special use, as a string with the life of the store; else
 * none. */
struct str store_box_special(struct store *s, enum store_box_attr use);

/* Notes of clients (RFC 5464) about a mailbox or, with an empty name, about the account. They move
 * with their mailbox and end with it. */
struct store_meta {
	struct str box;
	struct str entry; /* "/private/comment", in any case */
	struct str value; /* any bytes; p == NULL removes the entry */
};

struct store_meta_list {
	struct store_meta *v;
	size_t n;
};

#define STORE_META_BYTES_MAX   ((size_t)1 << 20) /* all of an account */
#define STORE_META_ENTRIES_MAX 10000

/* A mailbox's special uses, as RFC 6154 names them, are such a note. */
#define STORE_META_SPECIAL_USE "/private/specialuse"

/* All notes, in `a`, in no order. */
int must_check store_meta_list(struct store *s, struct arena *a, struct store_meta_list *out,
			       struct err *err);
/* Set and remove entries, all or none. -ENOENT for a mailbox that does not exist, -E2BIG when a
 * limit is reached. */
int must_check store_meta_set(struct store *s, const struct store_meta *v, size_t n,
			      struct err *err);

/* "\\Sent" to STORE_BOX_SENT and back; 0 or NULL for what is none. */
uint32_t store_special_use_parse(struct str name);
const char *store_special_use_name(uint32_t attr);

/* Rights on a mailbox (RFC 4314 section 2). The owner has all and gives some to others. */
enum store_right {
	STORE_RIGHT_LOOKUP = 1 << 0, /* l: it is listed */
	STORE_RIGHT_READ = 1 << 1,
	STORE_RIGHT_WRITE = 1 << 2,   /* flags other than the next two */
	STORE_RIGHT_SEEN = 1 << 3,    /* s */
	STORE_RIGHT_DELETED = 1 << 4, /* t */
	STORE_RIGHT_INSERT = 1 << 5,
	STORE_RIGHT_POST = 1 << 6,
	STORE_RIGHT_EXPUNGE = 1 << 7,
	STORE_RIGHT_CREATE = 1 << 8, /* k: mailboxes below it */
	STORE_RIGHT_DELETE = 1 << 9, /* x: the mailbox */
	STORE_RIGHT_ADMIN = 1 << 10, /* change all this */
	STORE_RIGHTS_ALL = (1 << 11) - 1,
};

struct store_acl_entry {
	struct str id; /* "user=bob@example.org", "anyone", "authenticated" */
	uint32_t rights;
	bool negative; /* these are taken away */
};

struct store_acl {
	struct store_acl_entry *v;
	size_t n;
};

#define STORE_ACL_MAX 1000 /* identifiers of a mailbox */

/* False when a letter is no right. */
bool must_check store_rights_parse(struct str letters, uint32_t *out);
void store_rights_write(struct buf *out, uint32_t rights);

/* -ENOENT: no such mailbox. Without an ACL nobody but the owner has rights. */
int must_check store_acl_read(struct store *s, struct str box, struct arena *a,
			      struct store_acl *out, struct err *err);
/* The rights of a user who is not the owner: of the identifier that means this user most
 * particularly, without those that are taken away. */
uint32_t store_acl_rights(const struct store_acl *acl, struct str user);

struct store_acl_change {
	enum store_acl_op {
		STORE_ACL_SET,
		STORE_ACL_ADD,
		STORE_ACL_REMOVE,
		STORE_ACL_DELETE
	} op;
	struct store_acl_entry entry;
};
int must_check store_acl_change(struct store *s, struct str box, const struct store_acl_change *c,
				struct err *err);

/* Which accounts below a directory of mail may have something for a user: to be looked for in their
 * ACLs. The strings are in `a`. */
#define STORE_SHARES_MAX 200
struct store_shares {
	struct str *owners;
	size_t n;
};
int must_check store_shares_of(struct str dir, struct str user, struct arena *a,
			       struct store_shares *out, struct err *err);
/* All whom an owner has given rights now: "user=bob@example.org", "anyone". */
int must_check store_shares_set(struct str dir, struct str owner, const struct str *ids, size_t n,
				struct err *err);

struct store_status {
	uint32_t messages, recent, unseen, deleted;
	uint32_t uidnext, uidvalidity;
	uint64_t modseq;  /* highest; see store_message */
	uint64_t bytes;	  /* as CRLF text */
	uint8_t guid[16]; /* the mailbox's own: OBJECTID's MAILBOXID */
};

/* Of a mailbox nobody needs to have open; `recent` is what a view opened now would claim. */
int must_check store_box_status(struct store *s, struct str name, struct store_status *out,
				struct err *err);

/* How far a long call has come. */
typedef void store_progress_fn(void *ctx, uint32_t done, uint32_t all);
struct store_progress {
	store_progress_fn *fn;
	void *ctx;
};

/* Make the mailbox's index again, from its directories and its messages. -EBUSY: another process
 * keeps the index, and has been told to do so itself. */
int must_check store_box_reindex(struct store *s, struct str name, struct store_progress progress,
				 struct err *err);

struct store_verified {
	uint32_t messages;
	uint32_t unreadable; /* among them */
	uint32_t wrong_size; /* their files' names tell other sizes than they have */
	uint32_t no_facts;   /* nothing is known of their contents without reading them */
	bool indexed;	     /* else another process keeps the index, or there is none */
};

/* Read every message from beginning to end. What can be mended is mended on the way, as always;
 * each finding is reported. */
int must_check store_box_verify(struct store *s, struct str name, struct store_progress progress,
				struct store_verified *out, struct err *err);

enum store_view_mode {
	STORE_VIEW_READ_ONLY = 1 << 0,	 /* EXAMINE: sees \Recent and claims none */
	STORE_VIEW_KEEP_RECENT = 1 << 1, /* knows nothing of \Recent: POP3 */
};

int must_check store_view_open(struct store *s, struct str name, unsigned mode,
			       struct store_view **out, struct err *err);
/* NULL is fine. */
void store_view_close(struct store_view *v);

/* Numbers as of now, for the untagged answers of SELECT and for STATUS of the selected mailbox; the
 * messages this view has not been told of yet are counted only in uidnext and modseq. */
void store_view_status(struct store_view *v, struct store_status *out);
/* The mailbox's name (it may have been renamed); valid until the next call into the store. */
struct str store_view_name(struct store_view *v);

/* The keywords in use, index = bit in store_message.keywords. An empty name is an unused bit.
 * Valid until the next call into the store. New ones announce themselves by
 * store_events.keywords_changed. */
const struct str *store_view_keywords(struct store_view *v, unsigned *n);

/* The bit of a keyword (case-insensitive), made when new. -E2BIG when all bits are taken, -EINVAL
 * for what is no IMAP atom, -ENOENT when it is unknown and `create` is false. */
int must_check store_view_keyword(struct store_view *v, struct str name, bool create,
				  struct err *err);

/* One thing that whoever shows mailboxes may keep with this one, for all its views. It is freed
 * when the mailbox is unloaded or replaced. */
struct store_note {
	void *p; /* NULL: nothing yet */
	void (*free)(void *p);
};
struct store_note *store_view_note(struct store_view *v);

/* Sequence numbers run from 1 to store_view_count and change only inside store_view_sync. */
uint32_t store_view_count(const struct store_view *v);
uint32_t store_view_uid(const struct store_view *v, uint32_t seq);
/* 0 when this view has no such message. */
uint32_t store_view_seq(const struct store_view *v, uint32_t uid);
/* The first sequence number whose UID is >= uid; count + 1 when there is none. */
uint32_t store_view_seq_from(const struct store_view *v, uint32_t uid);
/* First unseen message, 0 when there is none (SELECT's UNSEEN). */
uint32_t store_view_first_unseen(const struct store_view *v);

#define STORE_UNKNOWN UINT64_MAX

struct store_message {
	uint32_t uid;
	uint32_t flags;	    /* enum store_flag */
	uint64_t keywords;  /* bits: store_view_keywords */
	uint64_t modseq;    /* grows with every change; see below */
	uint64_t size;	    /* bytes on disk, or STORE_UNKNOWN */
	uint64_t wire_size; /* as CRLF text (RFC822.SIZE), or STORE_UNKNOWN */
	int64_t date;	    /* INTERNALDATE, seconds since the epoch; INT64_MIN: unknown */
	struct str guid;    /* unique name of the contents: kept by copy and move; valid as below */
	struct str pop3_uidl; /* set only where an earlier server recorded one */
};

/* What is in memory, without I/O. The strings are valid until the next call that may change the
 * mailbox. -ENOENT: expunged, and this view has not been told yet. modseq: comparable within the
 * life of the view; it starts at 1 when a mailbox is loaded unless store_has_modseq says that it
 * persists. */
int must_check store_view_message(struct store_view *v, uint32_t seq, struct store_message *out);

/* The same with date and sizes known: may stat the file or, where its name tells no sizes, read
 * it. */
int must_check store_view_message_full(struct store_view *v, uint32_t seq,
				       struct store_message *out, struct err *err);

/* The UIDs that were expunged after this modseq, without those that the view still counts. May
 * name more: where what was expunged is not remembered so far back, all below the next UID that
 * the mailbox does not have (RFC 7162 3.2.5.1 allows that). In `a`. */
void store_view_vanished(const struct store_view *v, uint64_t since, struct arena *a,
			 struct store_uids *out);

/* When the message came into this mailbox (RFC 8514), seconds since the epoch; INT64_MIN: unknown.
 * Known of all messages once what is known of them was made (store_view_facts). */
int64_t store_view_saved(struct store_view *v, uint32_t seq);

/* May CONDSTORE be offered: modseq and the list of expunged UIDs survive a restart. */
bool store_has_modseq(const struct store *s);

/* Count the sizes anew by reading the file: after a reader found -EBADMSG. */
int must_check store_view_measure(struct store_view *v, uint32_t seq, struct err *err);

enum store_event_kind {
	STORE_EVENT_EXPUNGED, /* first, highest sequence number first: right when sent in order */
	STORE_EVENT_FLAGS,    /* then these, ascending, in the numbering after the expunges */
};

struct store_event {
	enum store_event_kind kind;
	uint32_t seq, uid;
};

struct store_events {
	struct store_event *v;
	size_t n;
	uint32_t exists, recent; /* as of now */
	bool exists_changed;	 /* new messages came; not set by expunges alone */
	bool recent_changed;
	bool keywords_changed;
};

enum store_sync_how {
	STORE_SYNC_KEEP_EXPUNGED =
		1 << 0,		     /* renumber nothing: FETCH, STORE, SEARCH (RFC 3501 7.4.1) */
	STORE_SYNC_NO_DISK = 1 << 1, /* only what this process knows already */
};

/* Look at the disk (three stat calls when nothing changed), take in what others did, and bring
 * this view up to date. Changes the view made itself are events too, unless they were silent.
 * -ESTALE. */
int must_check store_view_sync(struct store_view *v, unsigned how, struct arena *a,
			       struct store_events *out, struct err *err);

/* Would store_view_sync(STORE_SYNC_NO_DISK) have anything to tell? */
bool store_view_has_news(const struct store_view *v);

/* Be called when anybody else changes the mailbox: IDLE. The callback runs inside the call that
 * does or finds it, so it only notes the fact and wakes its fiber; it does not call the store.
 * What other programs do where it cannot be watched is found by whoever syncs next: an idle session
 * syncs every half minute. One per view; closing the view ends it. */
typedef void store_watch_fn(void *arg);
void store_view_watch(struct store_view *v, store_watch_fn *fn, void *arg); /* fn NULL: stop */

/* What happens in an account, whether its mailboxes are open or not, as far as this process does it
 * or notices it. */
enum store_watch_kind {
	STORE_WATCH_MESSAGES, /* of the mailbox `box` came, went, or have other flags */
	STORE_WATCH_CREATED,
	STORE_WATCH_DELETED,
	STORE_WATCH_RENAMED, /* from `old`, with all below it */
	STORE_WATCH_SUBSCRIBED,
	STORE_WATCH_UNSUBSCRIBED,
};

/* Runs inside the call that made the change: it notes the fact and does not call the store. */
struct store_watcher;
typedef void store_watcher_fn(struct store_watcher *w, enum store_watch_kind kind, struct str box,
			      struct str old);
struct store_watcher {
	struct list node;
	store_watcher_fn *fn;
};
void store_watcher_add(struct store *s, struct store_watcher *w, store_watcher_fn *fn);
void store_watcher_remove(struct store_watcher *w);

/* What is known of a message's contents (mime/facts.h), in `a` or valid until the next call into
 * the store. The first gives the hot blob only: what SEARCH, SORT and THREAD need. -ENOENT:
 * expunged meanwhile. */
int must_check store_view_hot_facts(struct store_view *v, uint32_t seq, struct arena *a,
				    struct mime_facts *out, struct err *err);
int must_check store_view_facts(struct store_view *v, uint32_t seq, struct arena *a,
				struct mime_facts *out, struct err *err);

struct store_file {
	int fd;		    /* the caller closes it */
	uint64_t size;	    /* bytes on disk */
	uint64_t wire_size; /* as CRLF text; announce this, not what the name said */
	bool lf;	    /* line ends must be expanded; else the file's bytes are the wire's */
};

/* -ENOENT: expunged meanwhile. Follows the file when another program renamed it. A file whose
 * size differs from its name's is reported and measured. */
int must_check store_view_open_message(struct store_view *v, uint32_t seq, struct store_file *out,
				       struct err *err);

/* Sequential CRLF bytes of a store_file through one buffer. Never gives fewer or more than
 * wire_size bytes: should the file change under us, it pads with spaces or cuts, and remembers
 * -EBADMSG, because the peer was promised a literal of that length. */
struct store_reader {
	int fd;
	bool expand, last_was_cr;
	int error; /* 0, or what went wrong first: -EBADMSG, -EIO */
	uint64_t wire_size;
	uint64_t wire_pos; /* of the next byte that store_reader_read gives */
	uint64_t file_pos; /* of the next byte to be read into buf */
	char *buf;
	size_t at, end; /* unread part of buf */
};

/* Borrows the descriptor; the buffer (16 KiB) comes from `a`. */
void store_reader_init(struct store_reader *r, const struct store_file *f, struct arena *a);
/* Up to n bytes; 0 only at the end. */
size_t store_reader_read(struct store_reader *r, char *out, size_t n);
/* Continue at a byte of the CRLF text. Forward reads what is between when line ends are expanded;
 * backward starts over. Beyond the end is the end. */
void store_reader_seek(struct store_reader *r, uint64_t wire_pos);

enum store_change_op {
	STORE_FLAGS_ADD,
	STORE_FLAGS_REMOVE,
	STORE_FLAGS_REPLACE
};

struct store_change {
	enum store_change_op op;
	uint32_t flags;	   /* of STORE_FLAGS_ALL */
	uint64_t keywords; /* bits */
	bool silent;	   /* no event for this view */
	bool conditional;  /* leave alone what has a modseq above unchanged_since */
	uint64_t unchanged_since;
	struct arena *a; /* for *modified */
};

/* Flags and removals of the view's mailbox are where this has to sync. */
int must_check store_view_commit(struct store_view *v, struct store_commit *c, struct err *err);

/* Of all messages in `set` that this view has. Messages that vanished are skipped. *modified
 * lists those that unchanged_since kept as they were (may be NULL when not conditional). On an
 * error from the system some may have changed; a sync tells which. */
int must_check store_view_change(struct store_view *v, const struct store_uids *set,
				 const struct store_change *c, struct store_uids *modified,
				 struct err *err);

/* Remove the messages that are \Deleted and in `set` (NULL: all). Returns how many. */
int must_check store_view_expunge(struct store_view *v, const struct store_uids *set,
				  struct err *err);
/* Remove whatever their flags: POP3's DELE. */
int must_check store_view_remove(struct store_view *v, const struct store_uids *set,
				 struct err *err);

/* COPYUID's three parts (RFC 4315): `from` and `to` are in the same order. */
struct store_copied {
	uint32_t uidvalidity;
	struct store_uids from, to;
	uint32_t n;
	uint64_t bytes;
};

struct store_copy_args {
	const struct store_uids *set;
	struct str to; /* mailbox; -ENOENT answers [TRYCREATE] */
	struct store_commit
		*commit; /* gets what must be synced; NULL: the caller needs no durability */
	struct arena *a; /* for the result */
};

/* All messages or none, with flags, keywords and dates. */
int must_check store_view_copy(struct store_view *v, const struct store_copy_args *args,
			       struct store_copied *out, struct err *err);
/* Each message is in exactly one of the two mailboxes at any time. */
int must_check store_view_move(struct store_view *v, const struct store_copy_args *args,
			       struct store_copied *out, struct err *err);

/* Flags by name, as they arrive from IMAP and Sieve. */
struct store_mark {
	uint32_t flags;
	const struct str *keywords;
	size_t nkeywords;
};

/* APPEND, one or many messages. Nothing is seen before finish. -ENOENT answers [TRYCREATE]. */
int must_check store_append_begin(struct store *s, struct str box, struct store_append **out,
				  struct err *err);

enum store_line_ends {
	STORE_LINES_TEXT,   /* a bare LF is a line end like any other: IMAP APPEND */
	STORE_LINES_BINARY, /* a bare LF stays one: BINARYMIME, literal8 */
};

struct store_append_meta {
	struct store_mark mark;
	int64_t date; /* INT64_MIN: now */
	enum store_line_ends lines;
};

/* Begin the next message, then give its CRLF bytes in any portions. After an error only abort is
 * left. */
int must_check store_append_message(struct store_append *ap, const struct store_append_meta *m,
				    struct err *err);
int must_check store_append_write(struct store_append *ap, struct str bytes, struct err *err);
int must_check store_append_file(struct store_append *ap, int fd, uint64_t offset, uint64_t length,
				 struct err *err);

struct store_appended {
	uint32_t uidvalidity;
	struct store_uids uids; /* in `a` */
	uint64_t bytes;
};

struct store_append_args {
	struct store_commit *commit; /* or NULL */
	struct arena *a;
};

/* All messages become visible, or none. Ends the append in any case. */
int must_check store_append_finish(struct store_append *ap, const struct store_append_args *args,
				   struct store_appended *out, struct err *err);
/* NULL is fine. */
void store_append_abort(struct store_append *ap);

/* Mail from the queue. Its file name derives from (id, part), so that a repetition finds the
 * first. */
struct store_delivery {
	struct str box; /* "INBOX" */
	uint64_t id;	/* microseconds since the epoch << 12 | 12 bits, unique */
	unsigned part;	/* 0, 1...: several deliveries of one id into one mailbox (a+x@, a+y@) */
	bool create;	/* create and subscribe a missing mailbox; else -ENOENT */
	bool first_attempt; /* this was never tried before: skip the search for an earlier copy */
	struct str head;    /* CRLF lines to put on top: Return-Path, Delivered-To, Received */
	int fd;		    /* the message: CRLF bytes [offset, offset + length) */
	uint64_t offset, length;
	struct store_mark mark; /* Sieve's; with any the file lands in cur/ */
};

struct store_delivered {
	uint32_t uid;  /* 0 when the mailbox is not loaded: the next session assigns it */
	bool repeated; /* it was there already; written anew, in case a crash tore it */
	uint64_t size; /* as CRLF text, with the head */
};

/* Not durable before the caller's syncfs: the journal is. Sessions on the mailbox are woken. */
int must_check store_deliver(struct store *s, const struct store_delivery *d,
			     struct store_delivered *out, struct err *err);

/* Collects the file systems that finish, copy, move and changes of flags have written to. */
struct store_commit *store_commit_new(void);
/* An open file on the i-th, for syncfs; -1 behind the last. The commit's own. */
int store_commit_volume(const struct store_commit *c, unsigned i);
/* NULL is fine. */
void store_commit_free(struct store_commit *c);
