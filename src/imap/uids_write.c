#include "imap/uids_write.h"

#include "store/store.h"

void imap_uids_write(struct buf *b, const struct store_uids *uids)
{
	for (size_t i = 0; i < uids->n; i++) {
		buf_printf(b, "%s%u", i ? "," : "", uids->v[i].first);
		if (uids->v[i].last != uids->v[i].first)
			buf_printf(b, ":%u", uids->v[i].last);
	}
}
