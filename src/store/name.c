#include "store/name.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "store/store.h"

static int level_check(struct str level, struct err *err)
{
	if (level.n == 0)
		return err_set(err, -EINVAL, "mailbox name with an empty level");
	for (size_t i = 0; i < level.n; i++) {
		unsigned char c = (unsigned char)level.p[i];
		if (c < 0x20 || c == 0x7f || c == '/')
			return err_set(err, -EINVAL, "mailbox name with byte 0x%02x", c);
	}
	return 0;
}

int store_name_check(struct str name, struct err *err)
{
	if (name.n > STORE_NAME_MAX)
		return err_set(err, -ENAMETOOLONG, "mailbox name of %zu bytes", name.n);
	if (!utf8_is_valid(name))
		return err_set(err, -EINVAL, "mailbox name is not UTF-8");

	struct str rest = name, level;
	bool more = true;
	for (unsigned depth = 1; more; depth++) {
		if (depth > STORE_DEPTH_MAX)
			return err_set(err, -E2BIG, "mailbox name of more than %d levels",
				       STORE_DEPTH_MAX);
		more = str_cut(rest, '.', &level, &rest);
		int r = level_check(level, err);
		if (r < 0)
			return r;
	}
	return 0;
}

struct str store_name_canonical(struct arena *a, struct str name)
{
	struct str inbox = STR("INBOX");

	if (!str_starts_nocase(name, inbox) || str_starts(name, inbox))
		return name;
	if (name.n > inbox.n && name.p[inbox.n] != '.')
		return name;
	struct str rest = str_skip(name, inbox.n);
	return arena_printf(a, "%" STR_FMT "%" STR_FMT, STR_ARG(inbox), STR_ARG(rest));
}

bool store_name_is_below(struct str name, struct str parent)
{
	return name.n > parent.n && name.p[parent.n] == '.' && str_starts(name, parent);
}

struct str store_name_parent(struct str name)
{
	ssize_t dot = str_rfind_byte(name, '.');
	return dot < 0 ? STR_NONE : str_sub(name, 0, (size_t)dot);
}

/* The separator sorts before every other byte, so that A, A.B, A-B come in this order. */
int store_name_cmp(struct str a, struct str b)
{
	bool a_inbox = str_eq(a, STR("INBOX")), b_inbox = str_eq(b, STR("INBOX"));
	if (a_inbox != b_inbox)
		return a_inbox ? -1 : 1;

	size_t n = a.n < b.n ? a.n : b.n;
	for (size_t i = 0; i < n; i++) {
		int x = a.p[i] == '.' ? 0 : (unsigned char)a.p[i];
		int y = b.p[i] == '.' ? 0 : (unsigned char)b.p[i];
		if (x != y)
			return x - y;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

bool store_keyword_is_valid(struct str keyword)
{
	if (keyword.n == 0 || keyword.n > STORE_KEYWORD_LEN)
		return false;
	for (size_t i = 0; i < keyword.n; i++) {
		char c = keyword.p[i];
		if (c <= ' ' || c >= 0x7f || strchr("(){%*\"\\]", c))
			return false;
	}
	return true;
}
