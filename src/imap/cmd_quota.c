/* GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208 4.1). */
#include "imap/box.h"
#include "imap/mailbox_name.h"
#include "imap/quota.h"
#include "imap/session_state.h"
#include "imap/write.h"

/* The name that docker-mailserver gives to an account's only root. */
#define ROOT	     "User quota"
#define UNIT_BYTES   1024 /* RFC 9208 5.1: STORAGE is in units of 1024 octets */
#define RESPONSE_MAX 20000

static int may_suspend write_quota(struct imap_session *s, uint64_t limit, struct err *err)
{
	struct store_usage used;

	int r = store_usage(s->store, &used, err);
	if (r < 0)
		return r;
	stream_printf(s->stream, "* QUOTA \"" ROOT "\" (STORAGE %llu %llu)\r\n",
		      (unsigned long long)((used.bytes + UNIT_BYTES - 1) / UNIT_BYTES),
		      (unsigned long long)(limit / UNIT_BYTES));
	return 0;
}

int imap_cmd_getquota(struct imap_session *s)
{
	struct str root;
	struct err err;
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_astring(&s->lexer, &root)) < 0 || (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	uint64_t limit = imap_quota_limit(s, s->params->account);
	if (!limit || !str_eq(root, STR(ROOT)))
		return imap_no(s, "[NONEXISTENT] There is no such quota root.");
	r = write_quota(s, limit, &err);
	return r < 0 ? imap_no_store(s, r, &err) : imap_ok(s, "Quota told.");
}

static void may_suspend write_root(struct imap_session *s, struct str name, bool limited)
{
	struct buf b;

	buf_init(&b, &s->arena, RESPONSE_MAX);
	buf_puts(&b, "* QUOTAROOT ");
	imap_write_mailbox(&b, name, imap_speaks_utf8(s));
	buf_puts(&b, limited ? " \"" ROOT "\"\r\n" : "\r\n");
	imap_send(s, &b);
}

int imap_cmd_getquotaroot(struct imap_session *s)
{
	struct imap_box box;
	struct str name;
	struct err err;
	int r;

	if ((r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_lexer_mailbox(&s->lexer, &name)) < 0 || (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	if (imap_box_find(s, name, STORE_RIGHT_READ, &box))
		return 0;
	r = store_box_check(box.store, box.name, &err);
	if (r < 0)
		return imap_no_store(s, r, &err);
	/* What others may store is their own affair. */
	if (box.shared) {
		write_root(s, name, false);
		return imap_ok(s, "Quota roots told.");
	}
	uint64_t limit = imap_quota_limit(s, s->params->account);
	write_root(s, name, limit > 0);
	r = limit ? write_quota(s, limit, &err) : 0;
	return r < 0 ? imap_no_store(s, r, &err) : imap_ok(s, "Quota roots told.");
}

/* Limits are the operator's: dovecot-quotas.cf. */
int imap_cmd_setquota(struct imap_session *s)
{
	(void)s;
	return imap_no(s, "[NOPERM] Limits are set by the operator.");
}
