#include "setup/mail_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}
#define auto_dir __attribute__((cleanup(close_dir)))

/* The size in "...,S=1234,W=1250:2,S". False when the name has none. */
static bool size_in_name(struct str name, uint64_t *out)
{
	ssize_t at = str_find(name, STR(",S="));
	if (at < 0)
		return false;
	struct str digits = str_skip(name, (size_t)at + 3);
	size_t n = 0;
	while (n < digits.n && ascii_is_digit((unsigned char)digits.p[n]))
		n++;
	return str_to_u64(str_sub(digits, 0, n), UINT64_MAX, out) == 0;
}

static uint64_t message_size(DIR *d, const char *name)
{
	uint64_t size;
	struct stat st;

	if (size_in_name(str_from(name), &size))
		return size;
	if (fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return (uint64_t)st.st_size;
}

static uint64_t folder_usage(const char *path)
{
	auto_dir DIR *d = opendir(path);
	struct dirent *e;
	uint64_t total = 0;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			total += message_size(d, e->d_name);
	return total;
}

static uint64_t both_usage(struct str folder, struct arena *a)
{
	return folder_usage(arena_printf(a, "%" STR_FMT "/cur", STR_ARG(folder)).p) +
	       folder_usage(arena_printf(a, "%" STR_FMT "/new", STR_ARG(folder)).p);
}

uint64_t mail_usage(struct str maildir, struct arena *a)
{
	auto_dir DIR *d = opendir(arena_cstr(a, maildir));
	struct dirent *e;
	uint64_t total = both_usage(maildir, a);

	while (d && (e = readdir(d))) {
		struct str name = str_from(e->d_name);
		if (name.n < 2 || name.p[0] != '.' || str_eq(name, STR("..")))
			continue;
		total +=
			both_usage(arena_printf(a, "%" STR_FMT "/%s", STR_ARG(maildir), name.p), a);
	}
	return total;
}

const char *mail_usage_format(uint64_t bytes, struct arena *a)
{
	static const char units[] = "KMGTPE";
	uint64_t unit = 1;
	unsigned i = 0;

	if (bytes < 1024)
		return arena_printf(a, "%u", (unsigned)bytes).p;
	/* The next unit already for what would be rounded up to 1024 of this one. */
	while (i < 6 && (bytes - 1) / unit + 1 >= 1024) {
		unit <<= 10;
		i++;
	}
	uint64_t tenths = bytes / unit * 10 + (bytes % unit * 10 + unit - 1) / unit;
	if (tenths < 100)
		return arena_printf(a, "%u.%u%c", (unsigned)(tenths / 10), (unsigned)(tenths % 10),
				    units[i - 1])
			.p;
	return arena_printf(a, "%u%c", (unsigned)((bytes - 1) / unit + 1), units[i - 1]).p;
}
