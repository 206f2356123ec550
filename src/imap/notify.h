/* What a client wants to be told of without asking (RFC 5465). */
#pragma once

#include "base/check.h"

struct imap_notify;
struct imap_notify_args;
struct imap_session;

/* In place of what was asked for before. 0, or the failure of the stream. */
int may_suspend must_check imap_notify_begin(struct imap_session *s,
					     const struct imap_notify_args *args);
/* Nothing any more; without NOTIFY that is fine. */
void imap_notify_end(struct imap_session *s);

/* Before the session waits for its client: let it be woken. */
void imap_notify_watch(struct imap_session *s);

/* Tell what has happened; without NOTIFY there is nothing. */
int may_suspend must_check imap_notify_tell(struct imap_session *s);

/* FETCH what `items` ("(UID FLAGS)") asks for of the messages from `first` on, without making them
 * \Seen (cmd_fetch.c). */
struct str;
int may_suspend must_check imap_fetch_new(struct imap_session *s, struct str items, unsigned first);
