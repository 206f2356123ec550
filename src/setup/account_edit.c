#include "setup/account_edit.h"

#include <errno.h>

#include "auth/address.h"
#include "auth/password.h"
#include "base/err.h"
#include "base/fd.h"
#include "setup/message.h"
#include "setup/prompt.h"
#include "setup/setup_file.h"

const struct account_file account_file_users = { SETUP_ACCOUNTS, true };
const struct account_file account_file_masters = { SETUP_MASTERS, false };

struct str account_normalize(struct setup *s, struct str name)
{
	struct str lower = address_fold(&s->arena, name);
	if (!str_eq(lower, name))
		message(s, MESSAGE_WARN,
			"Mail account '%s' has uppercase letters and will be normalized to '%s'",
			name.p, lower.p);
	return lower;
}

int account_exists(struct setup *s, const struct account_file *f, struct str name)
{
	struct str text;
	struct err err;
	int r = setup_file_read(s, f->file, &text, &err);
	if (r < 0) {
		message_fail(s, "%s", err.text);
		return r;
	}
	return setup_has_key(text, name, '|');
}

/* Whatever would not survive in a file of '|' and lines, or as a directory's name. */
static bool is_name(const struct account_file *f, struct str name)
{
	if (name.n == 0 || name.p[0] == '#' || str_find_byte(name, '|') >= 0 ||
	    str_find_byte(name, ':') >= 0)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f)
			return false;
	return f->with_domain ? address_is_mailbox_name(name) : str_find_byte(name, '*') < 0;
}

static int hash(struct setup *s, struct str password, struct str *stored)
{
	struct err err;
	int r = password_create(password, &s->arena, stored, &err);
	if (r < 0)
		message_fail(s, "%s", err.text);
	return r;
}

static int append_account(struct setup *s, const struct account_file *f, struct str name,
			  struct str stored, struct err *err)
{
	struct str text;
	struct buf out;

	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int r = setup_file_read(s, f->file, &text, err);
	if (r < 0)
		return r;
	if (setup_has_key(text, name, '|'))
		return err_set(err, -EEXIST, "'%s' already exists", name.p);
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	buf_put_str(&out, text);
	setup_append_line(&out, arena_printf(&s->arena, "%s|%s", name.p, stored.p));
	if (buf_failed(&out))
		return err_set(err, -EFBIG, "'%s' is too large", f->file);
	return setup_file_write(s, f->file, buf_str(&out), err);
}

enum setup_exit account_add(struct setup *s, const struct account_file *f, struct str name,
			    struct str password)
{
	struct str stored;
	struct err err;

	if (!is_name(f, name))
		return message_fail_usage(s, "'%s' is not a valid name", name.p);
	int r = account_exists(s, f, name);
	if (r < 0)
		return SETUP_ERROR;
	if (r > 0)
		return message_fail(s, "'%s' already exists", name.p);
	if (password.n == 0 && !prompt_password(s, &password))
		return SETUP_ERROR;
	if (hash(s, password, &stored) < 0)
		return SETUP_ERROR;
	if (append_account(s, f, name, stored, &err) < 0)
		return message_fail(s, "%s", err.text);
	return SETUP_OK;
}

/* The line with another hash; what follows the second '|' stays. */
static void put_with_hash(struct buf *out, struct setup_line *line, struct str stored)
{
	struct str name, rest, old;
	str_cut(line->text, '|', &name, &rest);
	bool has_extra = str_cut(rest, '|', &old, &rest);

	buf_put_str(out, name);
	buf_putc(out, '|');
	buf_put_str(out, stored);
	if (has_extra) {
		buf_putc(out, '|');
		buf_put_str(out, rest);
	}
	buf_putc(out, '\n');
}

static int replace_hash(struct setup *s, const struct account_file *f, struct str name,
			struct str stored, struct err *err)
{
	struct str text;
	struct setup_line line;
	struct buf out;
	bool found = false;

	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int r = setup_file_read(s, f->file, &text, err);
	if (r < 0)
		return r;
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	while (setup_line_next(&text, &line)) {
		bool this = !found && line.counts && str_eq_nocase(setup_key(line.text, '|'), name);
		found |= this;
		if (this)
			put_with_hash(&out, &line, stored);
		else
			buf_put_str(&out, line.raw);
	}
	if (!found)
		return err_set(err, -ENOENT, "'%s' does not exist", name.p);
	if (buf_failed(&out))
		return err_set(err, -EFBIG, "'%s' is too large", f->file);
	return setup_file_write(s, f->file, buf_str(&out), err);
}

enum setup_exit account_update(struct setup *s, const struct account_file *f, struct str name,
			       struct str password)
{
	struct str stored;
	struct err err;

	int r = account_exists(s, f, name);
	if (r < 0)
		return SETUP_ERROR;
	if (r == 0)
		return message_fail(s, "'%s' does not exist", name.p);
	if (password.n == 0 && !prompt_password(s, &password))
		return SETUP_ERROR;
	if (hash(s, password, &stored) < 0)
		return SETUP_ERROR;
	if (replace_hash(s, f, name, stored, &err) < 0)
		return message_fail(s, "%s", err.text);
	return SETUP_OK;
}
