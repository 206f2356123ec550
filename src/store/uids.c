#include "base/arena.h"
#include "store/store.h"

void store_uids_add_range(struct arena *a, struct store_uids *set, uint32_t first, uint32_t end)
{
	check(first > 0 && end >= first);
	if (set->n) {
		struct store_uid_range *last = &set->v[set->n - 1];
		check(first > last->last);
		if (first == last->last + 1) {
			last->last = end;
			return;
		}
	}
	if (set->n == set->cap) {
		size_t cap = set->cap ? set->cap * 2 : 8;
		struct store_uid_range *v = ARENA_NEW_ARRAY(a, struct store_uid_range, cap);
		if (set->n)
			memcpy(v, set->v, set->n * sizeof(*v));
		set->v = v;
		set->cap = cap;
	}
	set->v[set->n++] = (struct store_uid_range){ first, end };
}

void store_uids_add(struct arena *a, struct store_uids *set, uint32_t uid)
{
	store_uids_add_range(a, set, uid, uid);
}

bool store_uids_has(const struct store_uids *set, uint32_t uid)
{
	size_t low = 0, high = set->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (set->v[mid].last < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < set->n && set->v[low].first <= uid;
}
