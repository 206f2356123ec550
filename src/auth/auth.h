/* The vocabulary of answers about addresses, shared by the tables, the auth service and those who
 * ask. */
#pragma once

enum auth_verdict {
	AUTH_OK,	   /* deliver to the targets */
	AUTH_NOT_OURS,	   /* the domain is not served here: the targets are for who may relay */
	AUTH_UNKNOWN_USER, /* the domain is served here, the user is not there */
	AUTH_DENIED,	   /* the receive access file refuses it, with code and text */
	AUTH_ALIAS_ERROR,  /* aliases loop or grow without end: temporary, an operator must act */
};

enum auth_target_kind {
	AUTH_TARGET_MAILBOX, /* of the account `user`; the address keeps its extension */
	AUTH_TARGET_REMOTE,
	AUTH_TARGET_DISCARD, /* /dev/null */
	AUTH_TARGET_UNKNOWN, /* an alias names a user who is not there: bounce this target */
};
