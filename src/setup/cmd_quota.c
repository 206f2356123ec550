#include <errno.h>

#include "auth/address.h"
#include "base/err.h"
#include "base/fd.h"
#include "setup/account_edit.h"
#include "setup/message.h"
#include "setup/prompt.h"
#include "setup/setup_file.h"

/* A whole number with its unit, or 0: a bare number would not say what it counts. */
static bool is_quota(struct str text)
{
	if (str_eq(text, STR("0")))
		return true;
	if (text.n < 2 || str_find_byte(STR("BkMGT"), text.p[text.n - 1]) < 0)
		return false;
	for (size_t i = 0; i + 1 < text.n; i++)
		if (!ascii_is_digit((unsigned char)text.p[i]))
			return false;
	return true;
}

/* An empty quota removes the entry. */
static int put(struct setup *s, struct str name, struct str quota, struct err *err)
{
	struct str text;
	struct buf out;

	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int r = setup_file_read(s, SETUP_QUOTAS, &text, err);
	if (r < 0)
		return r;
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	unsigned removed = setup_remove_key(text, name, ':', &out);
	if (quota.n)
		setup_append_line(&out, arena_printf(&s->arena, "%s:%s", name.p, quota.p));
	else if (!removed)
		return 0;
	if (buf_failed(&out))
		return err_set(err, -EFBIG, "'%s' is too large", SETUP_QUOTAS);
	return setup_file_write(s, SETUP_QUOTAS, buf_str(&out), err);
}

/* The account of the first argument, in lower case. */
static enum setup_exit find_account(struct setup *s, struct str *name)
{
	struct str asked = setup_arg(s, 0);
	if (str_find_byte(asked, '@') < 0)
		return message_fail_usage(
			s, "'%s' should include the domain (eg: user@example.com)", asked.p);
	*name = address_fold(&s->arena, asked);
	int r = account_exists(s, &account_file_users, *name);
	if (r == 0)
		return message_fail(s, "'%s' does not exist", name->p);
	return r < 0 ? SETUP_ERROR : SETUP_OK;
}

enum setup_exit cmd_quota_set(struct setup *s)
{
	struct str name, quota = setup_arg(s, 1);
	struct err err;

	if (find_account(s, &name) != SETUP_OK)
		return SETUP_ERROR;
	if (quota.n == 0)
		quota = arena_str(&s->arena, prompt_line(s, "Enter quota (e.g. 10M): "));
	if (quota.n == 0)
		return message_fail(s, "Quota must not be empty (use 0 for unlimited quota)");
	if (!is_quota(quota))
		return message_fail_usage(s, "Invalid quota format. e.g. 302M (B (byte), k "
					     "(kibibyte), M (mebibyte), G (gibibyte) or T "
					     "(tebibyte))");
	return put(s, name, quota, &err) < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

enum setup_exit cmd_quota_del(struct setup *s)
{
	struct str name;
	struct err err;

	if (find_account(s, &name) != SETUP_OK)
		return SETUP_ERROR;
	return put(s, name, STR(""), &err) < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}
