#include "core/watch.h"

#include <sys/stat.h>

static struct watch_state look(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct watch_state){ 0 };
	return (struct watch_state){ .device = st.st_dev,
				     .inode = st.st_ino,
				     .size = st.st_size,
				     .modified = st.st_mtim,
				     .changed = st.st_ctim };
}

unsigned watch_add(struct watch *w, const char *path)
{
	check(w->count < WATCH_MAX);
	w->paths[w->count] = path;
	w->seen[w->count] = look(path);
	return w->count++;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* The change time tells of writes that kept the size within one tick of the modification time. */
static bool same_state(const struct watch_state *a, const struct watch_state *b)
{
	return a->inode == b->inode && a->device == b->device && a->size == b->size &&
	       same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}

uint32_t watch_poll(struct watch *w)
{
	uint32_t changed = 0;

	for (unsigned i = 0; i < w->count; i++) {
		struct watch_state now = look(w->paths[i]);
		if (!same_state(&now, &w->seen[i]))
			changed |= 1u << i;
		w->seen[i] = now;
	}
	return changed;
}
