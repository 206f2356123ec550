#include "imap/quota.h"

#include "imap/box.h"
#include "imap/seqset.h"
#include "imap/session_state.h"

/* docker-mailserver's quota rule: what is thrown away must find room when nothing else does. */
#define TRASH_EXTRA	  ((uint64_t)50 << 20)
#define MESSAGES_PER_UNIT 100

uint64_t imap_quota_limit(struct imap_session *s, struct str account)
{
	const struct imap_session_params *p = s->params;

	return p->quota ? p->quota(p->ctx, account) : 0;
}

uint64_t imap_quota_room(struct imap_session *s, const struct imap_box *box)
{
	uint64_t limit = imap_quota_limit(s, box->account);
	struct store_usage used;
	struct err err;

	/* What cannot be counted is no reason to refuse mail. */
	if (!limit || store_usage(box->store, &used, &err) < 0)
		return UINT64_MAX;
	if (str_eq(box->name, store_box_special(box->store, STORE_BOX_TRASH)))
		limit += TRASH_EXTRA;
	return used.bytes < limit ? limit - used.bytes : 0;
}

uint64_t imap_quota_size(struct imap_session *s, const struct imap_seqset *seqs)
{
	struct store_message m;
	struct err err;
	uint64_t sum = 0;

	for (size_t i = 0; i < seqs->count; i++)
		for (uint32_t n = seqs->ranges[i].first; n <= seqs->ranges[i].last; n++) {
			if (imap_work(s, n % MESSAGES_PER_UNIT == 0) < 0)
				return sum;
			if (store_view_message_full(s->view, n, &m, &err) == 0)
				sum += m.wire_size;
		}
	return sum;
}

int imap_quota_refuse(struct imap_session *s)
{
	return imap_no(s, "[OVERQUOTA] Quota exceeded (mailbox for user is full)");
}
