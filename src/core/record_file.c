#include "core/record_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

static int open_append(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

void record_file_open(struct record_file *f, const char *dir, const char *name, off_t max)
{
	struct stat st;

	*f = (struct record_file){ .fd = -1, .max = max };
	if (!dir)
		return;
	if (asprintf(&f->path, "%s/%s", dir, name) < 0 ||
	    asprintf(&f->old_path, "%s.old", f->path) < 0)
		check_no_memory();
	f->fd = open_append(f->path);
	if (f->fd >= 0 && fstat(f->fd, &st) == 0)
		f->size = st.st_size;
}

void record_file_close(struct record_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f->old_path);
	*f = (struct record_file){ .fd = -1 };
}

static void begin_anew(struct record_file *f)
{
	if (rename(f->path, f->old_path) < 0)
		return;
	int fd = open_append(f->path);
	if (fd < 0)
		return;
	close(f->fd);
	f->fd = fd;
	f->size = 0;
}

void record_file_append(struct record_file *f, struct str line)
{
	if (f->fd < 0 || write(f->fd, line.p, line.n) < 0)
		return;
	f->size += (off_t)line.n;
	if (f->size > f->max)
		begin_anew(f);
}
