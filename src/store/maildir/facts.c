/* What is known of messages: read from their files. */
#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "mime/facts.h"
#include "store/store.h"

/* Larger messages are explored up to here. */
#define EXPLORE_MAX ((uint64_t)256 << 20)

static int read_file(int fd, uint64_t size, struct arena *a, struct str *out, struct err *err)
{
	size_t n = (size_t)(size < EXPLORE_MAX ? size : EXPLORE_MAX), have = 0;
	char *p = arena_alloc(a, n);

	while (have < n) {
		ssize_t got = pread(fd, p + have, n - have, (off_t)have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, "read message");
		if (got == 0)
			break;
		have += (size_t)got;
	}
	*out = str_of(p, have);
	return 0;
}

int store_view_facts(struct store_view *v, uint32_t seq, struct arena *a, struct mime_facts *out,
		     struct err *err)
{
	auto_arena struct arena bytes = ARENA_INIT;
	struct store_file f;
	struct str message;

	int r = store_view_open_message(v, seq, &f, err);
	if (r < 0)
		return r;
	auto_close int fd = f.fd;
	r = read_file(fd, f.size, &bytes, &message, err);
	if (r < 0)
		return r;
	mime_facts_make(message, !f.lf, a, out);
	return 0;
}

int store_view_hot_facts(struct store_view *v, uint32_t seq, struct arena *a,
			 struct mime_facts *out, struct err *err)
{
	return store_view_facts(v, seq, a, out, err);
}
