/* The state of a session and what its commands share; for the files of src/imap alone. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/stream.h"
#include "imap/input.h"
#include "imap/lexer.h"
#include "imap/session.h"
#include "store/store.h"

struct imap_box;
struct imap_guest;
struct imap_notify;
struct imap_session;

enum imap_command_needs {
	IMAP_NEEDS_VIEW = 1 << 0,  /* a selected mailbox */
	IMAP_NEEDS_WRITE = 1 << 1, /* selected with SELECT, not EXAMINE */
	IMAP_WITH_UID = 1 << 2,	   /* also behind "UID" */
	IMAP_NO_EXPUNGE = 1 << 3,  /* RFC 3501 7.4.1: nothing may be renumbered meanwhile */
	IMAP_NO_SYNC = 1 << 4,	   /* ends or changes the selection itself */
	IMAP_FOLDERS = 1 << 5,	   /* the special-use mailboxes must exist by now */
};

/* Parse the arguments from s->lexer and do it. 0 when s->reply holds the tagged answer, -EBADMSG
 * for malformed arguments, else the failure of the stream. */
typedef int may_suspend imap_command_fn(struct imap_session *s);

/* What the client has switched on with ENABLE (RFC 5161). */
enum imap_enabled {
	IMAP_ENABLED_REV2 = 1 << 0,	 /* RFC 9051 */
	IMAP_ENABLED_UTF8 = 1 << 1,	 /* RFC 9755; IMAP4rev2 is that and more */
	IMAP_ENABLED_CONDSTORE = 1 << 2, /* RFC 7162 */
	IMAP_ENABLED_QRESYNC = 1 << 3,	 /* which includes it */
};

struct imap_command {
	const char *name;
	imap_command_fn *run;
	unsigned needs; /* enum imap_command_needs */
};

struct imap_session {
	const struct imap_session_params *params;
	struct stream *stream;
	struct imap_input input;
	struct imap_lexer lexer;
	struct arena arena; /* reset before each command */
	struct store *store;
	bool prepared;	  /* the special-use mailboxes exist */
	unsigned enabled; /* enum imap_enabled */

	struct store_view *view;  /* of the selected mailbox, or NULL */
	struct store *view_store; /* where it is */
	uint32_t view_rights;	  /* enum store_right */
	bool read_only;
	uint64_t told_modseq; /* all changes up to here the client has been told */
	struct imap_saved {
		struct arena arena;
		struct store_uids uids;
	} saved;		       /* RFC 5182: what "$" stands for */
	struct imap_context *contexts; /* searches that are kept up to date */

	struct str tag;
	const char *command; /* its name, or NULL before it is known */
	bool uid;	     /* it came with UID */
	struct buf reply;
	enum imap_session_end end;
	bool ended;
	struct imap_notify *notify; /* or NULL */
	struct imap_guest *guests;  /* accounts of others, opened for what they share */
	unsigned nguests;
	struct arena guest_memory;
	uint32_t append_rights; /* on the mailbox of an APPEND */
	uint64_t append_room;	/* bytes that an APPEND may still store */
	bool starts_deflate;	/* once the command is answered */
	unsigned errors;	/* in a row */
	size_t work;		/* since others had their turn */
};

/* Set the tagged answer, without tag and line end; all return 0. */
int imap_ok(struct imap_session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
int imap_no(struct imap_session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The answer to a failure of the store, which is logged when nobody could expect it. */
int imap_no_store(struct imap_session *s, int r, const struct err *err);

/* A search in a charset that is not known. Returns 0. */
int imap_no_charset(struct imap_session *s);

/* Note in the log what kept a command from being done. */
void imap_log_failure(struct imap_session *s, const struct err *err);

/* Switch these of enum imap_enabled on. */
void imap_enable(struct imap_session *s, unsigned what);

/* Forget the command: all that lives in s->arena, its tag and reply included. */
void imap_command_reset(struct imap_session *s);

/* End the connection with an untagged BYE. Returns 0. */
int may_suspend imap_bye(struct imap_session *s, enum imap_session_end end, const char *why);

/* Write a buffer's contents out and empty it. */
void may_suspend imap_send(struct imap_session *s, struct buf *b);

/* Let the other sessions run when this one has done much since they did: `units` of about 4 KiB
 * read or a hundred messages looked at. 0 or -ECANCELED. */
int may_suspend must_check imap_work(struct imap_session *s, size_t units);

/* Wait until what a command has written is on the disk. Frees the commit. 0 or -Exxx. */
int may_suspend must_check imap_commit(struct store_commit *c, struct err *err);
/* The same for flags and removals of the selected mailbox. */
int may_suspend must_check imap_commit_view(struct imap_session *s, struct err *err);

imap_command_fn imap_cmd_append, imap_cmd_cancelupdate, imap_cmd_capability, imap_cmd_check,
	imap_cmd_close, imap_cmd_compress, imap_cmd_copy, imap_cmd_create, imap_cmd_delete,
	imap_cmd_deleteacl, imap_cmd_enable, imap_cmd_examine, imap_cmd_expunge, imap_cmd_fetch,
	imap_cmd_getacl, imap_cmd_getmetadata, imap_cmd_getquota, imap_cmd_getquotaroot,
	imap_cmd_id, imap_cmd_idle, imap_cmd_list, imap_cmd_listrights, imap_cmd_logout,
	imap_cmd_lsub, imap_cmd_move, imap_cmd_myrights, imap_cmd_namespace, imap_cmd_noop,
	imap_cmd_notify, imap_cmd_rename, imap_cmd_replace, imap_cmd_search, imap_cmd_select,
	imap_cmd_setacl, imap_cmd_setmetadata, imap_cmd_setquota, imap_cmd_sort, imap_cmd_status,
	imap_cmd_store, imap_cmd_subscribe, imap_cmd_thread, imap_cmd_unauthenticate,
	imap_cmd_unselect, imap_cmd_unsubscribe;

/* What the session offers: the text behind "CAPABILITY ", in s->arena. */
struct str imap_session_capabilities(struct imap_session *s);

/* RFC 9051 knows no \Recent: who has enabled it is told nothing of it. */
static inline bool imap_tells_recent(const struct imap_session *s)
{
	return !(s->enabled & IMAP_ENABLED_REV2);
}

/* Mod-sequences are kept with an account's index; mail of others is read without. */
static inline bool imap_view_has_modseq(const struct imap_session *s)
{
	return store_has_modseq(s->view ? s->view_store : s->store);
}

/* Mailbox names go out in UTF-8, not in modified UTF-7. */
static inline bool imap_speaks_utf8(const struct imap_session *s)
{
	return s->enabled & (IMAP_ENABLED_REV2 | IMAP_ENABLED_UTF8);
}

/* NULL when there is no such command. */
const struct imap_command *imap_command_find(struct str name);
