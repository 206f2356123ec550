#include "scratch_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool scratch_dir_make(struct scratch_dir *d)
{
	const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(d->path, sizeof(d->path), "%s/posthorn-fuzz-XXXXXX", where);
	if (mkdtemp(d->path))
		return true;
	d->path[0] = '\0';
	return false;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void scratch_dir_remove(struct scratch_dir *d)
{
	if (d->path[0])
		(void)nftw(d->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
