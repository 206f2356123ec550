/* Every mailbox an account ever had gets another UIDVALIDITY. The last one given is kept as
 * Dovecot keeps it: in hexadecimal in the file dovecot-uidvalidity and in the name of an empty
 * file beside. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "store/maildir/maildir.h"

#define UIDVALIDITY "dovecot-uidvalidity"

static bool hex_value(struct str s, uint32_t *out)
{
	uint32_t v = 0;
	if (s.n != 8)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int digit = ascii_hex_value(s.p[i]);
		if (digit < 0)
			return false;
		v = v << 4 | (uint32_t)digit;
	}
	*out = v;
	return true;
}

/* From the file, or where it is missing or cut short from the names beside it. */
static uint32_t last_given(struct store *s)
{
	char text[8];
	uint32_t last = 0, v;
	auto_close int fd = openat(s->fd, UIDVALIDITY, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		ssize_t n = read(fd, text, sizeof(text));
		if (n > 0 && hex_value(str_of(text, (size_t)n), &last))
			return last;
	}
	int dirfd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dirfd >= 0 ? fdopendir(dirfd) : NULL;
	if (!d)
		return 0;
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		struct str name = str_from(e->d_name);
		if (str_starts(name, STR(UIDVALIDITY ".")) &&
		    hex_value(str_skip(name, sizeof(UIDVALIDITY)), &v) && v > last)
			last = v;
	}
	closedir(d);
	return last;
}

uint32_t maildir_uidvalidity_next(struct store *s)
{
	char old_name[40], new_name[40], text[9];
	uint32_t last = last_given(s), now = (uint32_t)time(NULL);
	uint32_t next = now > last || last == UINT32_MAX ? now : last + 1;

	snprintf(old_name, sizeof(old_name), UIDVALIDITY ".%08x", last);
	snprintf(new_name, sizeof(new_name), UIDVALIDITY ".%08x", next);
	snprintf(text, sizeof(text), "%08x", next);
	if (renameat(s->fd, old_name, s->fd, new_name) < 0) {
		auto_close int mark = openat(s->fd, new_name, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
		(void)mark;
	}

	/* A failure costs nothing but the guarantee within one second. */
	auto_close int fd = openat(s->fd, UIDVALIDITY, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)!pwrite(fd, text, 8, 0);
	return next;
}
