#include "auth/srs_keys.h"

#include <errno.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/rand.h"

#define FILE_MAX ((size_t)64 << 10)
#define KEY_SIZE 24

static int make(const char *path, struct arena *a, struct str *out, struct err *err)
{
	ssize_t slash = str_rfind_byte(str_from(path), '/');
	char key[KEY_SIZE];
	struct buf b;

	int r = fd_make_dirs(arena_cstr(a, str_of(path, (size_t)slash)), 0755, err);
	if (r < 0)
		return r;
	rand_bytes(key, sizeof(key));
	buf_init(&b, a, 64);
	base64_write(&b, str_of(key, sizeof(key)));
	buf_putc(&b, '\n');
	*out = buf_str(&b);
	return fd_replace_file(path, *out, 0600, err);
}

int srs_keys_load(const char *path, struct arena *a, struct str *out, struct err *err)
{
	int r = fd_read_file(path, a, FILE_MAX, out, err);

	return r == -ENOENT ? make(path, a, out, err) : r;
}
