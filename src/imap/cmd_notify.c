/* NOTIFY (RFC 5465). */
#include "imap/notify.h"
#include "imap/notify_args.h"
#include "imap/session_state.h"

int imap_cmd_notify(struct imap_session *s)
{
	struct imap_notify_args args;

	int r = imap_notify_args_parse(&s->lexer, &args);
	if (r < 0)
		return r;
	if (args.none) {
		imap_notify_end(s);
		return imap_ok(s, "Nothing will be told.");
	}
	/* RFC 5465 3.1: with those that are supported. */
	for (size_t i = 0; i < args.n; i++)
		if (args.groups[i].events & IMAP_NOTIFY_UNKNOWN)
			return imap_no(s, "[BADEVENT (MessageNew MessageExpunge FlagChange "
					  "MailboxName SubscriptionChange)] Unknown event.");
	r = imap_notify_begin(s, &args);
	return r < 0 ? r : imap_ok(s, "It will be told.");
}
