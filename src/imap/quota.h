/* How much an account may store (RFC 9208). */
#pragma once

#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct imap_box;
struct imap_seqset;
struct imap_session;

/* Bytes; 0: no limit. */
uint64_t may_suspend imap_quota_limit(struct imap_session *s, struct str account);

/* How many bytes may still come into a mailbox; UINT64_MAX where there is no limit. */
uint64_t may_suspend imap_quota_room(struct imap_session *s, const struct imap_box *box);

/* The sum of messages of the selected mailbox. */
uint64_t may_suspend imap_quota_size(struct imap_session *s, const struct imap_seqset *seqs);

/* The tagged answer when there is no room. Returns 0. */
int imap_quota_refuse(struct imap_session *s);
