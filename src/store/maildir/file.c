/* Names of message files on disk. */

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "store/maildir/maildir.h"

bool maildir_path_make(struct maildir_path *out, bool in_new, struct str base, uint32_t letters,
		       uint32_t keywords)
{
	char suffix[64];
	struct buf b = { .p = suffix, .cap = sizeof(suffix), .max = sizeof(suffix) };
	if (!in_new)
		maildir_suffix_write(&b, letters, keywords);
	if (base.n + b.n > 255)
		return false;
	snprintf(out->p, sizeof(out->p), "%s/%" STR_FMT "%" STR_FMT, in_new ? "new" : "cur",
		 STR_ARG(base), STR_ARG(buf_str(&b)));
	return true;
}

void maildir_rec_path(const struct store_messages *m, const struct store_rec *r,
		      struct maildir_path *out)
{
	bool in_new = r->state & STORE_REC_NEW;
	struct str name = store_rec_name(m, r), suffix = store_rec_suffix(m, r);
	if (!(r->state & STORE_REC_EXACT) &&
	    maildir_path_make(out, in_new, name, r->file_letters, r->file_keywords))
		return;
	snprintf(out->p, sizeof(out->p), "%s/%" STR_FMT "%" STR_FMT, in_new ? "new" : "cur",
		 STR_ARG(name), STR_ARG(suffix));
}

struct str maildir_unique_name(struct store_pool *pool, char out[static 128])
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int n = snprintf(out, 128, "%lld.M%ldP%dQ%u.%" STR_FMT, (long long)now.tv_sec,
			 now.tv_nsec / 1000, (int)getpid(), ++pool->counter,
			 STR_ARG(pool->set.host));
	return str_of(out, n < 128 ? (size_t)n : 127);
}
