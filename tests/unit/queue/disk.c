#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

#define SECTOR	  512
#define FILES_MAX 512
#define NAME_LEN  64

enum op_kind {
	OP_WRITE,
	OP_RESIZE,
	OP_SYNC,
	OP_SYNC_FAILED, /* what was not yet durable may never be */
	OP_CREATE,
	OP_RENAME,
	OP_UNLINK,
	OP_SYNC_DIR,
};

struct op {
	enum op_kind kind;
	int file;
	uint64_t offset, length;
	char *data;
	char name[NAME_LEN], to[NAME_LEN];
};

static struct disk {
	char dir[64];
	struct op *ops;
	size_t count, cap;
	int file_of_fd[1024];
	struct {
		char name[NAME_LEN]; /* now; empty: removed */
	} files[FILES_MAX];
	int file_count;
	unsigned calls, syncs, fail_at, fail_count;
	int error;
	bool full;
} disk;

static void set_name(char to[NAME_LEN], const char *name)
{
	check(snprintf(to, NAME_LEN, "%s", name) < NAME_LEN);
}

static struct op *record(enum op_kind kind, int file)
{
	if (disk.count == disk.cap) {
		disk.cap = disk.cap ? disk.cap * 2 : 1024;
		disk.ops = realloc(disk.ops, disk.cap * sizeof(*disk.ops));
		if (!disk.ops)
			check_no_memory();
	}
	struct op *op = &disk.ops[disk.count++];
	*op = (struct op){ .kind = kind, .file = file };
	return op;
}

static void forget(void)
{
	for (size_t i = 0; i < disk.count; i++)
		free(disk.ops[i].data);
	free(disk.ops);
	memset(&disk, 0, sizeof(disk));
	memset(disk.file_of_fd, 0xff, sizeof(disk.file_of_fd));
}

static void remove_dir(const char *path)
{
	DIR *dir = opendir(path);

	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir));)
		unlinkat(dirfd(dir), e->d_name, 0);
	closedir(dir);
	rmdir(path);
}

const char *disk_begin(void)
{
	forget();
	/* In memory where that is possible: the real disk has no part in this. */
	set_name(disk.dir, "/dev/shm/posthorn-journal-XXXXXX");
	if (!mkdtemp(disk.dir)) {
		set_name(disk.dir, "/tmp/posthorn-journal-XXXXXX");
		check(mkdtemp(disk.dir) != NULL);
	}
	return disk.dir;
}

void disk_end(void)
{
	remove_dir(disk.dir);
	forget();
}

/* Is it this call's turn to fail? */
static bool fails(void)
{
	disk.calls++;
	if (disk.calls < disk.fail_at || disk.calls >= disk.fail_at + disk.fail_count)
		return false;
	errno = disk.error;
	return true;
}

unsigned disk_calls(void)
{
	return disk.calls;
}

unsigned disk_syncs(void)
{
	return disk.syncs;
}

void disk_fail(unsigned nth, unsigned count, int error)
{
	disk.fail_at = disk.calls + nth;
	disk.fail_count = count;
	disk.error = error;
}

void disk_mend(void)
{
	disk.fail_count = 0;
}

void disk_set_full(bool full)
{
	disk.full = full;
}

size_t disk_record_length(void)
{
	return disk.count;
}

static int file_of(int fd)
{
	return fd >= 0 && fd < (int)ARRAY_LEN(disk.file_of_fd) ? disk.file_of_fd[fd] : -1;
}

static int file_named(const char *name)
{
	for (int i = 0; i < disk.file_count; i++) {
		if (strcmp(disk.files[i].name, name) == 0)
			return i;
	}
	return -1;
}

static int add_file(const char *name)
{
	check(disk.file_count < FILES_MAX);
	set_name(disk.files[disk.file_count].name, name);
	return disk.file_count++;
}

static int disk_openat(int dir, const char *name, int flags, unsigned mode)
{
	if (fails())
		return -1;
	if (disk.full && (flags & O_CREAT)) {
		errno = ENOSPC;
		return -1;
	}
	int fd = openat(dir, name, flags, mode);
	if (fd < 0)
		return -1;
	check(fd < (int)ARRAY_LEN(disk.file_of_fd));
	int file = file_named(name);
	if (file < 0) {
		file = add_file(name);
		set_name(record(OP_CREATE, file)->name, name);
	}
	disk.file_of_fd[fd] = file;
	if (flags & O_TRUNC)
		record(OP_RESIZE, file)->length = 0;
	return fd;
}

static int disk_close(int fd)
{
	if (file_of(fd) >= 0)
		disk.file_of_fd[fd] = -1;
	return close(fd);
}

static ssize_t disk_pread(int fd, void *p, size_t n, off_t offset)
{
	return fails() ? -1 : pread(fd, p, n, offset);
}

static ssize_t disk_pwrite(int fd, const void *p, size_t n, off_t offset)
{
	if (fails())
		return -1;
	ssize_t done = pwrite(fd, p, n, offset);
	if (done > 0) {
		struct op *op = record(OP_WRITE, file_of(fd));
		op->offset = (uint64_t)offset;
		op->length = (uint64_t)done;
		op->data = malloc((size_t)done);
		check(op->data != NULL);
		memcpy(op->data, p, (size_t)done);
	}
	return done;
}

static int sync_file(int fd)
{
	disk.syncs++;
	if (fails()) {
		if (file_of(fd) >= 0)
			record(OP_SYNC_FAILED, file_of(fd));
		return -1;
	}
	if (file_of(fd) >= 0)
		record(OP_SYNC, file_of(fd));
	else
		record(OP_SYNC_DIR, -1);
	return 0;
}

static int disk_fallocate(int fd, int mode, off_t offset, off_t n)
{
	struct stat st;

	if (fails())
		return -1;
	check(fstat(fd, &st) == 0);
	if (disk.full && st.st_size < offset + n) {
		errno = ENOSPC;
		return -1;
	}
	if (fallocate(fd, mode, offset, n) < 0)
		return -1;
	if (st.st_size < offset + n)
		record(OP_RESIZE, file_of(fd))->length = (uint64_t)(offset + n);
	return 0;
}

static int disk_ftruncate(int fd, off_t n)
{
	if (fails())
		return -1;
	if (ftruncate(fd, n) < 0)
		return -1;
	record(OP_RESIZE, file_of(fd))->length = (uint64_t)n;
	return 0;
}

static int disk_renameat(int dir, const char *from, const char *to)
{
	if (fails())
		return -1;
	if (renameat(dir, from, dir, to) < 0)
		return -1;
	int file = file_named(from);
	struct op *op = record(OP_RENAME, file);
	set_name(op->name, from);
	set_name(op->to, to);
	set_name(disk.files[file].name, to);
	return 0;
}

static int disk_unlinkat(int dir, const char *name)
{
	if (fails())
		return -1;
	if (unlinkat(dir, name, 0) < 0)
		return -1;
	int file = file_named(name);
	set_name(record(OP_UNLINK, file)->name, name);
	disk.files[file].name[0] = '\0';
	return 0;
}

const struct journal_io disk_io = {
	.openat = disk_openat,
	.close = disk_close,
	.pread = disk_pread,
	.pwrite = disk_pwrite,
	.fdatasync = sync_file,
	.fsync = sync_file,
	.fallocate = disk_fallocate,
	.ftruncate = disk_ftruncate,
	.renameat = disk_renameat,
	.unlinkat = disk_unlinkat,
};

/* What is on the platters: files by number, and which name stands for which. */
struct platter {
	struct {
		char *data;
		uint64_t size;
	} files[FILES_MAX];
	struct {
		char name[NAME_LEN];
		int file;
	} names[FILES_MAX];
	int name_count;
	unsigned seed, odds; /* odds of 4 that something unsynced arrived */
};

static bool chance(struct platter *p)
{
	return (unsigned)rand_r(&p->seed) % 4 < p->odds;
}

static void resize(struct platter *p, int file, uint64_t size)
{
	char *data = realloc(p->files[file].data, size ? size : 1);

	check(data != NULL);
	if (size > p->files[file].size)
		memset(data + p->files[file].size, 0, size - p->files[file].size);
	p->files[file].data = data;
	p->files[file].size = size;
}

static void apply_to_file(struct platter *p, const struct op *op, bool whole)
{
	if (op->kind == OP_RESIZE) {
		if (whole || chance(p))
			resize(p, op->file, op->length);
		return;
	}
	for (uint64_t at = op->offset; at < op->offset + op->length;) {
		uint64_t end = (at / SECTOR + 1) * SECTOR;
		if (end > op->offset + op->length)
			end = op->offset + op->length;
		if (whole || chance(p)) {
			if (p->files[op->file].size < end)
				resize(p, op->file, end);
			memcpy(p->files[op->file].data + at, op->data + (at - op->offset),
			       end - at);
		}
		at = end;
	}
}

static void apply_to_names(struct platter *p, const struct op *op)
{
	int at = 0;
	const char *name = op->kind == OP_RENAME ? op->to : op->name;

	for (int i = 0; i < p->name_count; i++) {
		if (op->kind != OP_CREATE && p->names[i].file == op->file)
			p->names[i].name[0] = '\0';
	}
	if (op->kind == OP_UNLINK)
		return;
	while (at < p->name_count && strcmp(p->names[at].name, name) != 0)
		at++;
	if (at == p->name_count)
		p->name_count++;
	set_name(p->names[at].name, name);
	p->names[at].file = op->file;
}

static bool concerns_file(const struct op *op)
{
	return op->kind == OP_WRITE || op->kind == OP_RESIZE;
}

static bool concerns_names(const struct op *op)
{
	return op->kind == OP_CREATE || op->kind == OP_RENAME || op->kind == OP_UNLINK;
}

/* Everything of a file, or of the directory, since it was last synced: all of it, or by chance. */
static void settle(struct platter *p, bool *done, size_t until, int file, bool whole)
{
	for (size_t i = 0; i < until; i++) {
		const struct op *op = &disk.ops[i];
		if (done[i] ||
		    (file >= 0 ? !concerns_file(op) || op->file != file : !concerns_names(op)))
			continue;
		done[i] = true;
		if (file >= 0)
			apply_to_file(p, op, whole);
		else if (whole || chance(p))
			apply_to_names(p, op);
	}
}

static void write_out(const struct platter *p, const char *dir)
{
	for (int i = 0; i < p->name_count; i++) {
		char path[256];
		int file = p->names[i].file;

		if (!p->names[i].name[0])
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, p->names[i].name);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		check(fd >= 0);
		check(journal_io_write_all(&journal_io_system, fd, p->files[file].data,
					   p->files[file].size, 0) == 0);
		close(fd);
	}
}

/* The rebuilt files are the next life's first record: written, synced. */
static void adopt(const struct platter *p)
{
	for (int i = 0; i < p->name_count; i++) {
		int file = p->names[i].file;

		if (!p->names[i].name[0])
			continue;
		int as = add_file(p->names[i].name);
		set_name(record(OP_CREATE, as)->name, p->names[i].name);
		struct op *op = record(OP_WRITE, as);
		op->length = p->files[file].size;
		op->data = malloc(op->length ? op->length : 1);
		check(op->data != NULL);
		if (op->length)
			memcpy(op->data, p->files[file].data, op->length);
		record(OP_SYNC, as);
	}
	record(OP_SYNC_DIR, -1);
}

const char *disk_cut_power(size_t cut, unsigned seed)
{
	static struct platter p;
	memset(&p, 0, sizeof(p));
	p.seed = seed;
	p.odds = seed % 5;
	bool *done = calloc(cut + 1, sizeof(*done));
	check(done != NULL);

	for (size_t i = 0; i < cut; i++) {
		const struct op *op = &disk.ops[i];
		if (op->kind == OP_SYNC || op->kind == OP_SYNC_FAILED)
			settle(&p, done, i, op->file, op->kind == OP_SYNC);
		else if (op->kind == OP_SYNC_DIR)
			settle(&p, done, i, -1, true);
	}
	for (int file = 0; file < disk.file_count; file++)
		settle(&p, done, cut, file, false);
	settle(&p, done, cut, -1, false);
	free(done);

	remove_dir(disk.dir);
	disk_begin();
	write_out(&p, disk.dir);
	adopt(&p);
	for (int i = 0; i < FILES_MAX; i++)
		free(p.files[i].data);
	return disk.dir;
}
