#include <errno.h>

#include "auth/address.h"
#include "base/err.h"
#include "base/fd.h"
#include "setup/account_edit.h"
#include "setup/list_file.h"
#include "setup/message.h"
#include "setup/setup_file.h"

enum setup_exit cmd_master_add(struct setup *s)
{
	return account_add(s, &account_file_masters, account_normalize(s, setup_arg(s, 0)),
			   setup_args_from(s, 1));
}

enum setup_exit cmd_master_update(struct setup *s)
{
	return account_update(s, &account_file_masters, account_normalize(s, setup_arg(s, 0)),
			      setup_args_from(s, 1));
}

static int del(struct setup *s, struct str name, struct err *err)
{
	struct str text;
	struct buf out;

	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int r = setup_file_read(s, SETUP_MASTERS, &text, err);
	if (r < 0)
		return r;
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	if (setup_remove_key(text, name, '|', &out) == 0)
		return err_set(err, -ENOENT, "'%s' does not exist", name.p);
	return setup_file_write(s, SETUP_MASTERS, buf_str(&out), err);
}

enum setup_exit cmd_master_del(struct setup *s)
{
	struct str text;
	struct err err;

	if (setup_file_read(s, SETUP_MASTERS, &text, &err) < 0)
		return message_fail(s, "%s", err.text);
	for (unsigned i = 0; text.n && i < s->count; i++)
		if (del(s, address_fold(&s->arena, s->args[i]), &err) < 0)
			return message_fail(s, "%s", err.text);
	return SETUP_OK;
}

enum setup_exit cmd_master_list(struct setup *s)
{
	return list_file_print(s, SETUP_MASTERS, '|');
}
