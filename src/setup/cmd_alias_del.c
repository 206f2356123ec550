#include <errno.h>

#include "base/err.h"
#include "base/fd.h"
#include "setup/alias_edit.h"
#include "setup/message.h"
#include "setup/setup_file.h"

static int del(struct setup *s, struct str alias, struct str recipient, struct err *err)
{
	struct str text;
	struct buf out;

	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int r = setup_file_read(s, SETUP_VIRTUAL, &text, err);
	if (r < 0)
		return r;
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	if (alias_edit_remove(text, alias, recipient, &out) == 0)
		return 0;
	if (buf_failed(&out))
		return err_set(err, -EFBIG, "'%s' is too large", SETUP_VIRTUAL);
	return setup_file_write(s, SETUP_VIRTUAL, buf_str(&out), err);
}

enum setup_exit cmd_alias_del(struct setup *s)
{
	struct err err;
	if (setup_arg(s, 0).n == 0 || setup_arg(s, 1).n == 0)
		return message_fail_usage(s, "An alias and a recipient are needed");
	if (del(s, setup_arg(s, 0), setup_arg(s, 1), &err) < 0)
		return message_fail(s, "%s", err.text);
	return SETUP_OK;
}
