#include <errno.h>

#include "auth/aliases.h"
#include "base/err.h"
#include "base/fd.h"
#include "setup/account_edit.h"
#include "setup/alias_edit.h"
#include "setup/message.h"
#include "setup/setup_file.h"

static int add(struct setup *s, struct str alias, struct str recipient, struct err *err)
{
	struct str text;
	struct buf out;

	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int r = setup_file_read(s, SETUP_VIRTUAL, &text, err);
	if (r < 0)
		return r;
	if (alias_edit_has(text, alias, recipient))
		return err_set(err, -EEXIST, "'%s' is already an alias for recipient: '%s'",
			       alias.p, recipient.p);
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	alias_edit_add(text, alias, recipient, &out);
	if (buf_failed(&out))
		return err_set(err, -EFBIG, "'%s' is too large", SETUP_VIRTUAL);
	return setup_file_write(s, SETUP_VIRTUAL, buf_str(&out), err);
}

/* One entry is one line: nothing may begin another, or make the line a comment. */
static bool fits_a_line(struct str s)
{
	return s.n > 0 && s.p[0] != '#' && str_find_byte(s, '\n') < 0 && str_find_byte(s, '\r') < 0;
}

enum setup_exit cmd_alias_add(struct setup *s)
{
	struct str alias = setup_arg(s, 0), recipient = setup_arg(s, 1), first;
	struct str rest = recipient;
	struct err err;

	if (!fits_a_line(alias) || !fits_a_line(recipient) || !alias_target_next(&rest, &first))
		return message_fail_usage(s, "An alias and a recipient are needed");
	int r = account_exists(s, &account_file_users, alias);
	if (r < 0)
		return SETUP_ERROR;
	if (r > 0)
		return message_fail(s, "'%s' is already defined as an account", alias.p);
	return add(s, alias, recipient, &err) < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}
