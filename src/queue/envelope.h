/* The envelope of a queued message, and its binary form in the journal.
 *
 * Layout, all integers little-endian, a string being a u16 length and its bytes:
 *   u8 version (1), u32 flags, str sender, envid, auth_user, client_name, client_address, helo,
 *   u32 count, then per recipient: u8 kind, u8 notify, str address, account, original, orcpt. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct err;

enum envelope_flag {
	ENVELOPE_SMTPUTF8 = 1 << 0,
	ENVELOPE_8BITMIME = 1 << 1,
	ENVELOPE_BINARYMIME = 1 << 2,
	ENVELOPE_RET_FULL = 1 << 3, /* RFC 3461 4.3; neither bit: the choice is ours */
	ENVELOPE_RET_HDRS = 1 << 4,
	ENVELOPE_REQUIRETLS = 1 << 5,	/* RFC 8689 */
	ENVELOPE_TLS_OPTIONAL = 1 << 6, /* "TLS-Required: No" of the same; never with it */
	/* RFC 6710: 1 to 19 is a priority of -9 to 9; 0: none was asked for. */
	ENVELOPE_PRIORITY_SHIFT = 7,
	ENVELOPE_PRIORITY_MASK = 31 << ENVELOPE_PRIORITY_SHIFT,
	ENVELOPE_SUBMITTER =
		1 << 12, /* RFC 4954 5: the login wants to be named to the next server */
	ENVELOPE_FLAGS_ALL = (1 << 13) - 1,
};

#define ENVELOPE_PRIORITY_MAX 9

static inline bool envelope_has_priority(uint32_t flags)
{
	return flags & ENVELOPE_PRIORITY_MASK;
}

static inline int envelope_priority(uint32_t flags)
{
	uint32_t field = (flags & ENVELOPE_PRIORITY_MASK) >> ENVELOPE_PRIORITY_SHIFT;

	return field ? (int)field - ENVELOPE_PRIORITY_MAX - 1 : 0;
}

static inline uint32_t envelope_priority_flags(int priority)
{
	return (uint32_t)(priority + ENVELOPE_PRIORITY_MAX + 1) << ENVELOPE_PRIORITY_SHIFT;
}

enum envelope_kind {
	ENVELOPE_MAILBOX,
	ENVELOPE_REMOTE,
	ENVELOPE_DISCARD,
	ENVELOPE_KINDS,
};

enum envelope_notify {
	ENVELOPE_NOTIFY_NEVER = 1 << 0, /* alone */
	ENVELOPE_NOTIFY_SUCCESS = 1 << 1,
	ENVELOPE_NOTIFY_FAILURE = 1 << 2,
	ENVELOPE_NOTIFY_DELAY = 1 << 3,
	ENVELOPE_NOTIFY_ALL = (1 << 4) - 1,
};

/* Addresses: RFC 5321 4.5.3.1 allows 256 bytes of path; SMTPUTF8 and extensions get some room. */
#define ENVELOPE_ADDRESS_MAX	512
#define ENVELOPE_ORCPT_MAX	512 /* RFC 3461 4.2: 500 */
#define ENVELOPE_TEXT_MAX	512 /* every other string */
#define ENVELOPE_RECIPIENTS_MAX 4096
#define ENVELOPE_SIZE_MAX	(4u << 20)

struct envelope_recipient {
	enum envelope_kind kind;
	unsigned notify;     /* enum envelope_notify, or'ed; 0: the default */
	struct str address;  /* final */
	struct str account;  /* of a mailbox; empty when it is `address` */
	struct str original; /* as the client gave it */
	struct str orcpt;    /* or empty */
};

struct envelope {
	uint32_t flags;
	struct str sender; /* empty: the null reverse-path */
	struct str envid;
	struct str auth_user;
	struct str client_name, client_address, helo;
	struct envelope_recipient *recipients;
	size_t recipient_count;
};

/* The account whose mailbox a recipient's mail goes to. */
static inline struct str envelope_account(const struct envelope_recipient *r)
{
	return r->account.n ? r->account : r->address;
}

/* Does everything keep the limits above, is there a recipient, and does no string hold a control
 * character (they end up in logs and headers)? 0, or -EINVAL or -E2BIG with the reason. */
int must_check envelope_check(const struct envelope *e, struct err *err);

/* About what the recipients take in the binary form and in a call. */
size_t envelope_recipients_size(const struct envelope *e);

/* Append the binary form of an envelope that envelope_check accepts. */
void envelope_write(const struct envelope *e, struct buf *out);

/* Strings in *out point into `bytes`, the recipients live in `a`. Accepts exactly what
 * envelope_write makes of a checked envelope. 0, -EBADMSG, or -EPROTO for a version that is not
 * known. */
int must_check envelope_parse(struct str bytes, struct arena *a, struct envelope *out,
			      struct err *err);
