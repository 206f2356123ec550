/* The subscriptions of an account. */

#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/maildir.h"
#include "store/maildir/subscription_file.h"
#include "store/name.h"

#define SUBSCRIPTIONS	   "subscriptions"
#define SUBSCRIPTIONS_LOCK "subscriptions.lock"
#define FILE_MAX	   ((size_t)16 << 20)

int maildir_subscriptions_read(struct store *s, struct arena *a, struct subscription_list *out,
			       struct err *err)
{
	struct str text;
	*out = (struct subscription_list){ 0 };
	auto_close int fd = openat(s->fd, SUBSCRIPTIONS, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "%s/" SUBSCRIPTIONS, s->path);
	int r = fd_read_all(fd, a, FILE_MAX, &text, err);
	if (r < 0)
		return err_prefix(err, "%s/" SUBSCRIPTIONS, s->path);
	unsigned wrong = subscription_file_parse(text, a, out);
	if (wrong)
		maildir_report(s, STORE_DAMAGED, SUBSCRIPTIONS, "%u lines are no mailbox names",
			       wrong);
	return 0;
}

static size_t find(const struct subscription_list *l, struct str name)
{
	size_t i = 0;
	while (i < l->n && !str_eq(l->v[i], name))
		i++;
	return i;
}

/* False when it is so already. */
static bool change(struct subscription_list *l, struct arena *a, struct str name, bool on)
{
	size_t at = find(l, name);
	if (on == (at < l->n))
		return false;
	if (!on) {
		l->n--;
		memmove(l->v + at, l->v + at + 1, (l->n - at) * sizeof(*l->v));
		return true;
	}
	struct str *v = ARENA_NEW_ARRAY(a, struct str, l->n + 1);
	if (l->n)
		memcpy(v, l->v, l->n * sizeof(*v));
	v[l->n++] = name;
	l->v = v;
	return true;
}

int maildir_subscribe_all(struct store *s, const struct str *names, size_t n, bool on,
			  struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_dotlock struct dotlock lock = DOTLOCK_NONE;
	struct subscription_list l;
	bool changed = false;

	int r = dotlock_take(&lock, s->fd, SUBSCRIPTIONS_LOCK, err);
	if (r < 0)
		return r;
	r = maildir_subscriptions_read(s, &a, &l, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		changed |= change(&l, &a, names[i], on);
	if (!changed)
		return 0;
	if (l.n > STORE_BOXES_MAX)
		return err_set(err, -E2BIG, "more than %d subscriptions", STORE_BOXES_MAX);

	struct buf text;
	buf_init(&text, &a, FILE_MAX);
	subscription_file_write(&text, &l);
	if (buf_failed(&text))
		return err_set(err, -EFBIG, SUBSCRIPTIONS " too large");
	return dotlock_replace(&lock, SUBSCRIPTIONS, buf_str(&text), err);
}

int store_box_subscribe(struct store *s, struct str name, bool on, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;

	int r = store_name_check(name, err);
	if (r < 0)
		return r;
	name = store_name_canonical(&a, name);
	r = maildir_subscribe_all(s, &name, 1, on, err);
	if (r == 0)
		maildir_tell_watchers(s, on ? STORE_WATCH_SUBSCRIBED : STORE_WATCH_UNSUBSCRIBED,
				      name, STR_NONE);
	return r;
}
