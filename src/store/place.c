/* Where an account is: its mail at <mail>/<domain>/<local part>, everything else about it at the
 * same place below another root. */
#include "base/arena.h"
#include "store/store.h"

/* "/example.org/user" of "/var/mail/example.org/user". */
static struct str place_of(struct str path)
{
	ssize_t local = str_rfind_byte(path, '/');
	ssize_t domain = local < 0 ? -1 : str_rfind_byte(str_sub(path, 0, (size_t)local), '/');

	return str_skip(path, domain < 0 ? 0 : (size_t)domain);
}

struct str store_account_below(struct str root, struct str path, struct arena *a)
{
	return arena_printf(a, "%" STR_FMT "%" STR_FMT, STR_ARG(root), STR_ARG(place_of(path)));
}

struct str store_account_address(struct str path, struct arena *a)
{
	struct str place = place_of(path), domain, local;

	if (!str_cut(str_skip(place, 1), '/', &domain, &local))
		return path;
	return arena_printf(a, "%" STR_FMT "@%" STR_FMT, STR_ARG(local), STR_ARG(domain));
}
