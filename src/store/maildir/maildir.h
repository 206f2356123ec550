/* What the files of this directory share: accounts and loaded mailboxes as they are on disk. */
#pragma once

#include <sys/stat.h>
#include <time.h>

#include "base/arena.h"
#include "base/map.h"
#include "store/box.h"
#include "store/facts_file.h"
#include "store/index.h"
#include "store/maildir/dotlock.h"
#include "store/maildir/filename.h"
#include "store/maildir/uidlist.h"
#include "store/store.h"
#include "store/view.h"

struct err;

#define MAILDIR_PATH_MAX 320 /* "cur/" and a file name */

struct store_pool {
	struct store_settings set;
	struct arena arena; /* its strings */
	struct map stores;  /* by path */
	struct list unused; /* accounts nobody uses, oldest first */
	unsigned nunused;
	struct list idle; /* loaded mailboxes nobody uses, oldest first */
	unsigned nidle;
	size_t idle_bytes;
	int notice_fd;	      /* inotify, or -1 */
	struct map watches;   /* its number -> struct maildir_watch */
	struct list settling; /* mailboxes whose files do not agree with the index yet */
	uint8_t boot[16];
	uint32_t counter; /* makes file names unique */
};

struct store {
	struct store_pool *pool;
	char *path;
	int fd; /* the account's directory */
	unsigned refs;
	struct list unused; /* in pool->unused while nobody uses it and nothing of it is loaded */
	struct dotlock_source lock_source;
	struct list boxes; /* loaded mailboxes */
	struct list watchers;
	struct map usage;    /* mailbox directory -> struct usage_entry */
	int64_t usage_until; /* until then it is not compared with the disk */
	int index_fd;	     /* the directory of its indexes, or -1: not opened yet, or ... */
	bool index_failed;   /* ... not to be had */
};

/* What a file looked like when we read it; all zero: it was not there. */
struct file_mark {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct maildir_box {
	struct store_box base;
	struct list node; /* in store->boxes */
	struct list idle; /* in pool->idle while nobody uses it */
	size_t idle_bytes;
	unsigned pins;
	struct store *store;
	char *name; /* UTF-8 */
	char *dir;  /* below the account's directory: "." or ".A.B" */
	int fd;
	struct arena arena; /* keyword names and header fields */

	struct timespec new_mtime, cur_mtime; /* of the directories as we know them */
	bool rescan;			      /* the directories may hold what we do not know */
	struct maildir_watch *watch_new, *watch_cur; /* both, or none */
	int64_t own_since; /* first change of ours since the last scan, ms; 0: none */

	struct file_mark uidlist, keywords;
	struct str uidlist_other;
	bool uidlist_rewrite;  /* the file lacks what we know */
	uint32_t uidlist_dead; /* records in the file whose messages are gone */

	struct store_index index; /* in use while base.indexed */
	struct facts_files facts; /* of its messages */
	struct maildir_compaction *compaction;
	uint32_t facts_from;  /* all messages with smaller UIDs have theirs, or cannot */
	struct list settling; /* in pool->settling while something is unsettled */
	struct box_uids unsettled;
	size_t unsettled_at; /* those before are done */
	uint64_t settled;    /* files of messages removed up to this modseq are gone */
};

static inline struct maildir_box *maildir_box(struct store_box *b)
{
	return CONTAINER_OF(b, struct maildir_box, base);
}

/* The directories do not have yet what the record says. */
static inline bool maildir_rec_is_unsettled(const struct store_rec *r)
{
	if (r->state & STORE_REC_GONE)
		return r->state & STORE_REC_FILE;
	return r->letters != r->file_letters || r->keywords != r->file_keywords ||
	       (r->state & STORE_REC_NEW && !(r->state & STORE_REC_RECENT));
}

/* indexed.c */
/* Take a mailbox that was just opened from its index; false: there is none that can be used. */
bool maildir_index_load(struct maildir_box *mb);
/* Begin to keep a loaded mailbox in an index, where there is a place for it. */
void maildir_index_begin(struct maildir_box *mb);
/* After each change: the index is told. */
void maildir_index_write(struct maildir_box *mb);
/* Nobody uses the mailbox any more. */
void maildir_index_rest(struct maildir_box *mb);
/* Make a long index of an unused mailbox quick to load. False: it is. */
bool maildir_index_shorten(struct maildir_box *mb);
/* Somebody has removed the index of a loaded mailbox: it is to be made again. */
bool maildir_index_is_lost(const struct maildir_box *mb);
/* Begin a new index, with nothing known of messages' contents; the next refresh compares with the
 * disk. */
void maildir_index_again(struct maildir_box *mb);
/* The files with facts of a mailbox, and its index as well. */
void maildir_index_remove_files(int dirfd, const uint8_t guid[16], bool index_too);
/* The directory of an account's indexes, or -1. */
int maildir_index_dir(struct store *s);

/* notice.c */
void maildir_notice_init(struct store_pool *p);
void maildir_notice_done(struct store_pool *p);
/* Watch a mailbox that somebody looks at, if that can be had; and no longer. */
void maildir_notice_begin(struct maildir_box *mb);
void maildir_notice_end(struct maildir_box *mb);

/* session.c: make the record agree with its open file: date, sizes. 0, or -Exxx. */
int must_check maildir_rec_complete(struct maildir_box *mb, struct store_rec *r, int fd,
				    struct err *err);

/* settle.c */
/* What the record says is to be done on disk later, or right now where there is no index to keep
 * it. */
void maildir_settle_later(struct maildir_box *mb, const struct store_rec *r);
void maildir_settle_all(struct maildir_box *mb);
/* There may be some other work that can wait. */
void maildir_work_later(struct maildir_box *mb);

/* account.c */
/* When nobody uses the account and nothing of it is loaded, it may go when others need the room. */
void maildir_store_unused(struct store *s);
void maildir_report(const struct store *s, enum store_report kind, const char *dir, const char *fmt,
		    ...) PRINTF_LIKE(4, 5);

/* mailbox.c: loaded mailboxes. A got mailbox is pinned until released; a view pins as well. */
int must_check maildir_box_get(struct store *s, struct str name, struct maildir_box **out,
			       struct err *err);
void maildir_box_release(struct maildir_box *mb);
/* The mailbox when it is loaded, else NULL; not pinned. */
struct maildir_box *maildir_box_loaded(struct store *s, struct str name);
/* Its views become stale; freed when the last is closed. */
void maildir_box_detach(struct maildir_box *mb);
void maildir_box_free_idle(struct maildir_box *mb);
/* Its directory was renamed. */
void maildir_box_renamed(struct maildir_box *mb, struct str name, const char *dir);

/* Directory of a mailbox below the account's: "." for INBOX, else '.' and its spelling, whichever
 * spelling exists. Lives in `a`. -EINVAL, -ENAMETOOLONG, -E2BIG from the name; no -ENOENT. */
int must_check maildir_dir_of(struct store *s, struct str name, struct arena *a, const char **dir,
			      struct err *err);

/* scan.c */
int64_t maildir_now_ms(void);
/* Compare with the disk. 0, or -ESTALE. */
int must_check maildir_box_refresh(struct maildir_box *mb, struct err *err);
/* Before and after a change of our own, so that it is not taken for somebody else's. */
void maildir_box_before_change(struct maildir_box *mb);
void maildir_box_after_change(struct maildir_box *mb);

/* uid_file.c. All but the first want the uidlist lock. */
int must_check maildir_uidlist_lock(struct maildir_box *mb, struct dotlock *lock, struct err *err);
/* Read what others wrote since; reports and repairs damage. First call: load. */
int must_check maildir_uidlist_read(struct maildir_box *mb, struct err *err);
/* Append the records from index `from` on, or write the whole file when it needs that. */
int must_check maildir_uidlist_write(struct maildir_box *mb, uint32_t from, struct err *err);
bool maildir_uidlist_is_current(struct maildir_box *mb);
/* Only its header, without a lock. False: there is none that can be used. */
bool maildir_uidlist_peek(int boxfd, uint32_t *uidvalidity, uint8_t guid[16]);

/* keyword_disk.c */
void maildir_keywords_read(struct maildir_box *mb);
/* The bit of a keyword, made when new. -E2BIG, -EINVAL, -ENOENT. */
int must_check maildir_keyword_bit(struct maildir_box *mb, struct str name, bool create,
				   struct err *err);

/* file.c: message files */
struct maildir_path {
	char p[MAILDIR_PATH_MAX];
};
void maildir_rec_path(const struct store_messages *m, const struct store_rec *r,
		      struct maildir_path *out);
/* "cur/<base>:2,<letters>", or "new/<base>" without any. False when it is too long. */
bool must_check maildir_path_make(struct maildir_path *out, bool in_new, struct str base,
				  uint32_t letters, uint32_t keywords);
/* <sec>.M<usec>P<pid>Q<n>.<host>: no file of this host ever had it. */
struct str maildir_unique_name(struct store_pool *pool, char out[static 128]);

/* uidvalidity.c: larger than any that a mailbox of the account had. */
uint32_t maildir_uidvalidity_next(struct store *s);

/* folder.c: an empty mailbox. -EEXIST. */
int must_check maildir_folder_make(struct store *s, struct str name, struct err *err);

/* The mailbox's directory with cur/, new/ and tmp/ in it; what was lost is made, but for the cur/
 * of another one than the inbox: without it there is none. -ENOENT. */
int must_check maildir_folder_open(struct store *s, const char *dir, struct err *err);
/* The same for a directory that is open. */
int must_check maildir_folder_complete(int fd, const char *dir, struct err *err);

/* subscribe.c */
struct subscription_list;
int must_check maildir_subscriptions_read(struct store *s, struct arena *a,
					  struct subscription_list *out, struct err *err);
/* Valid, canonical names. */
int must_check maildir_subscribe_all(struct store *s, const struct str *names, size_t n, bool on,
				     struct err *err);

/* metadata.c: a mailbox was renamed, with all below it, or deleted (`to` is empty). */
void maildir_meta_moved(struct store *s, struct str from, struct str to);

/* watcher.c */
void maildir_tell_watchers(struct store *s, enum store_watch_kind kind, struct str box,
			   struct str old);
void maildir_box_changed(struct store_box *b);

/* usage.c */
void maildir_usage_done(struct store *s);
/* The mailbox is let go. */
void maildir_usage_leaves(struct maildir_box *mb);
/* A message is about to arrive in, or has arrived in, a mailbox that is not loaded: the sums that
 * are known for it stay right. `dirfd` is the mailbox's. */
bool maildir_usage_is_current(struct store *s, const char *dir, int dirfd);
void maildir_usage_arrived(struct store *s, const char *dir, int dirfd, uint64_t bytes);

/* facts.c */
/* The facts of a message that is being added: just made, or those of the message it is a copy of;
 * all zero: none. */
struct maildir_facts_source {
	const struct mime_facts *made;
	struct maildir_box *from;
	uint32_t place, uid; /* there */
};
/* Where they are kept, or 0. */
uint32_t maildir_facts_keep(struct maildir_box *mb, uint32_t uid,
			    const struct maildir_facts_source *source);
/* Make them from a message that was just written. In `a`. */
struct message_writer;
int must_check maildir_facts_make(const struct message_writer *w, struct arena *a,
				  struct mime_facts *out, struct err *err);
/* Make and keep the facts of a few messages that have none. False: none is left. */
bool maildir_facts_fill(struct maildir_box *mb);
/* compact.c: copy some facts of the living away from those of the dead, when these are most. False:
 * they are not. */
bool maildir_facts_compact(struct maildir_box *mb);
void maildir_facts_compact_abort(struct maildir_box *mb);

/* The mailbox has a new index: what older ones left is removed. */
void maildir_facts_begin(struct maildir_box *mb);

/* add.c: new messages of a mailbox. The files are in place, the UID list is locked and current
 * (maildir_add_begin); the records get the next UIDs. On failure there are no records, and the
 * files are the caller's to remove. */
struct maildir_new {
	struct str base;
	uint32_t letters, keywords;
	uint64_t size, wire_size;
	int64_t date;
	bool in_new;
	struct maildir_facts_source facts;
};
int must_check maildir_add_begin(struct maildir_box *mb, struct dotlock *lock, struct err *err);
int must_check maildir_add(struct maildir_box *mb, const struct maildir_new *v, size_t n,
			   struct err *err);

/* Letters and keyword bits of a mark in this mailbox; keywords that find no place are left out. On
 * failure those that could be written down are in *out. */
struct maildir_marks {
	uint32_t letters, keywords;
};
int maildir_mark(struct maildir_box *mb, const struct store_mark *mark, struct maildir_marks *out,
		 struct err *err);

static inline bool timespec_eq(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}
