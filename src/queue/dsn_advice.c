/* What the sender can do, by the status of RFC 3463. */
#include "queue/dsn.h"

static const struct {
	struct str detail; /* after the class, or the beginning of it */
	struct str advice;
} advices[] = {
	{ STR_INIT("1.1"),
	  STR_INIT("There is no such address. Look for a mistake in it, or ask the recipient "
		   "for the right one.") },
	{ STR_INIT("1.2"),
	  STR_INIT("There is no such domain. Look for a mistake in what stands behind the @.") },
	{ STR_INIT("1.3"), STR_INIT("The address is not written as an address must be.") },
	{ STR_INIT("1.6"),
	  STR_INIT("The recipient has another address now. Ask for the new one.") },
	{ STR_INIT("1.10"),
	  STR_INIT("The domain says that it takes no mail at all. Look for a mistake in the "
		   "address.") },
	{ STR_INIT("2.1"),
	  STR_INIT("The mailbox takes no mail at present. Try to reach the recipient by "
		   "another way.") },
	{ STR_INIT("2.2"),
	  STR_INIT("The mailbox is full. The recipient has to make room; send the message "
		   "again then.") },
	{ STR_INIT("2.3"),
	  STR_INIT("The message is too large for this mailbox. Send it without large "
		   "attachments.") },
	{ STR_INIT("3.4"),
	  STR_INIT("The message is too large. Send it without large attachments.") },
	{ STR_INIT("4.1"),
	  STR_INIT("The recipient's server cannot be reached. If it stays so, tell the "
		   "recipient by another way.") },
	{ STR_INIT("4.4"),
	  STR_INIT("Nobody knows where mail for this domain goes. Look for a mistake in what "
		   "stands behind the @.") },
	{ STR_INIT("4.6"), STR_INIT("The message went in circles. Tell your postmaster.") },
	{ STR_INIT("6"),
	  STR_INIT("The recipient's server cannot handle a message of this kind. Send it as "
		   "plain text, to an address without special characters.") },
	{ STR_INIT("7"),
	  STR_INIT("The recipient's server does not want this message: because of what is in "
		   "it, of who it is from, or of this server. Its words above may say more; if "
		   "not, ask your postmaster.") },
};

static bool is_detail(struct str status, struct str detail)
{
	struct str rest;

	if (status.n < 3 || status.p[1] != '.')
		return false;
	rest = str_skip(status, 2);
	return str_starts(rest, detail) && (rest.n == detail.n || rest.p[detail.n] == '.');
}

struct str dsn_advice(enum dsn_action action, struct str status)
{
	if (action != DSN_FAILED)
		return STR_NONE;
	for (size_t i = 0; i < ARRAY_LEN(advices); i++)
		if (is_detail(status, advices[i].detail))
			return advices[i].advice;
	return STR_NONE;
}
