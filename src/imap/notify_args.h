/* The arguments of NOTIFY (RFC 5465 section 8). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

struct imap_lexer;

enum imap_notify_event {
	IMAP_NOTIFY_NEW = 1 << 0,
	IMAP_NOTIFY_EXPUNGE = 1 << 1,
	IMAP_NOTIFY_FLAGS = 1 << 2,
	IMAP_NOTIFY_NAME = 1 << 3,
	IMAP_NOTIFY_SUBSCRIPTION = 1 << 4,
	IMAP_NOTIFY_UNKNOWN = 1 << 5, /* one that is not supported */
	IMAP_NOTIFY_MESSAGES = IMAP_NOTIFY_NEW | IMAP_NOTIFY_EXPUNGE | IMAP_NOTIFY_FLAGS,
};

enum imap_notify_filter {
	IMAP_NOTIFY_SELECTED,
	IMAP_NOTIFY_SELECTED_DELAYED,
	IMAP_NOTIFY_INBOXES,
	IMAP_NOTIFY_PERSONAL,
	IMAP_NOTIFY_SUBSCRIBED,
	IMAP_NOTIFY_SUBTREE,
	IMAP_NOTIFY_MAILBOXES,
};

struct imap_notify_group {
	enum imap_notify_filter filter;
	unsigned events; /* enum imap_notify_event */
	struct str *names;
	size_t n;
	struct str fetch; /* "(UID FLAGS)": what to tell of a new message; or empty */
};

struct imap_notify_args {
	bool none;
	bool status; /* tell where the mailboxes stand now */
	struct imap_notify_group *groups;
	size_t n;
};

int may_suspend must_check imap_notify_args_parse(struct imap_lexer *lx,
						  struct imap_notify_args *out);
