#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/address.h"
#include "base/err.h"
#include "base/fd.h"
#include "setup/account_edit.h"
#include "setup/alias_edit.h"
#include "setup/message.h"
#include "setup/prompt.h"
#include "setup/remove_tree.h"
#include "setup/setup_file.h"
#include "store/store.h"

enum mail_data {
	MAIL_DATA_ASK,
	MAIL_DATA_DELETE,
	MAIL_DATA_KEEP,
};

/* Options stand before the first address. False for one that nobody knows. */
static bool take_options(struct setup *s, enum mail_data *out, unsigned *first)
{
	unsigned i = 0;
	for (; i < s->count && str_starts(s->args[i], STR("-")); i++) {
		if (str_eq_nocase(s->args[i], STR("-y")))
			*out = MAIL_DATA_DELETE;
		else if (str_eq_nocase(s->args[i], STR("-n")))
			*out = MAIL_DATA_KEEP;
		else if (str_eq(s->args[i], STR("--")))
			break;
		else
			return false;
	}
	*first = i < s->count && str_eq(s->args[i], STR("--")) ? i + 1 : i;
	return true;
}

static enum mail_data ask(struct setup *s)
{
	struct str answer = prompt_line(s, "Do you want to delete the mailbox data as well "
					   "(removing all mails)? [y/N] ");
	return str_eq_nocase(answer, STR("y")) ? MAIL_DATA_DELETE : MAIL_DATA_KEEP;
}

static int edit(struct setup *s, const char *file, struct buf *out, unsigned changed,
		struct err *err)
{
	if (buf_failed(out))
		return err_set(err, -EFBIG, "'%s' is too large", file);
	return changed ? setup_file_write(s, file, buf_str(out), err) : 0;
}

static int remove_from_aliases(struct setup *s, struct str name, struct err *err)
{
	struct str text;
	struct buf out;
	int r = setup_file_read(s, SETUP_VIRTUAL, &text, err);
	if (r < 0)
		return r;
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	unsigned changed = alias_edit_remove(text, STR(""), name, &out);
	return edit(s, SETUP_VIRTUAL, &out, changed, err);
}

static int remove_key(struct setup *s, const char *file, struct str name, char separator,
		      struct err *err)
{
	struct str text;
	struct buf out;
	int r = setup_file_read(s, file, &text, err);
	if (r < 0)
		return r;
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	unsigned changed = setup_remove_key(text, name, separator, &out);
	return edit(s, file, &out, changed, err);
}

/* The account goes last: when something fails on the way, the command can be repeated. */
static int remove_entries(struct setup *s, struct str name, struct err *err)
{
	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int r = remove_from_aliases(s, name, err);
	if (r == 0)
		r = remove_key(s, SETUP_QUOTAS, name, ':', err);
	return r < 0 ? r : remove_key(s, SETUP_ACCOUNTS, name, '|', err);
}

/* What the server made of the mail: words of it are in there. */
static int remove_derived(struct setup *s, struct str mail, struct err *err)
{
	const struct str roots[] = { s->index_dir, s->text_index_dir };
	struct stat st;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(roots) && r == 0; i++) {
		struct str dir = store_account_below(roots[i], mail, &s->arena);
		if (lstat(dir.p, &st) == 0)
			r = remove_tree(dir.p, err);
	}
	return r;
}

static int remove_mail(struct setup *s, struct str name, struct err *err)
{
	struct address addr = address_split(name);
	struct str domain_dir = arena_printf(&s->arena, "%" STR_FMT "/%" STR_FMT,
					     STR_ARG(s->mail_dir), STR_ARG(addr.domain));
	struct str dir = arena_printf(&s->arena, "%s/%" STR_FMT, domain_dir.p, STR_ARG(addr.local));
	struct stat st;

	if (lstat(dir.p, &st) < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		message(s, MESSAGE_WARN, "Mailbox data directory '%s' does not exist", dir.p);
		return 0;
	}
	int r = remove_tree(dir.p, err);
	if (r < 0)
		return r;
	(void)rmdir(domain_dir.p); /* stays as long as another account lives there */
	return remove_derived(s, dir, err);
}

static enum setup_exit delete_account(struct setup *s, struct str name, enum mail_data data)
{
	struct err err;

	int r = account_exists(s, &account_file_users, name);
	if (r < 0)
		return SETUP_ERROR;
	if (r == 0 || !address_is_mailbox_name(name))
		return message_fail(s, "'%s' does not exist", name.p);
	if (data == MAIL_DATA_DELETE && remove_mail(s, name, &err) < 0)
		return message_fail(s, "%s", err.text);
	if (remove_entries(s, name, &err) < 0)
		return message_fail(s, "%s", err.text);
	message(s, MESSAGE_INFO, "'%s' and associated data (aliases, quotas) deleted", name.p);
	return SETUP_OK;
}

enum setup_exit cmd_email_del(struct setup *s)
{
	enum mail_data data = MAIL_DATA_ASK;
	unsigned first;
	struct str accounts;
	struct err err;

	if (!take_options(s, &data, &first))
		return message_fail_usage(s, "The option '?' is unknown");
	if (first >= s->count)
		return message_fail_usage(s, "No account given");
	if (setup_file_read(s, SETUP_ACCOUNTS, &accounts, &err) < 0)
		return message_fail(s, "%s", err.text);
	if (accounts.n == 0)
		return SETUP_OK;
	if (data == MAIL_DATA_ASK)
		data = ask(s);
	for (unsigned i = first; i < s->count; i++) {
		enum setup_exit r = delete_account(s, address_fold(&s->arena, s->args[i]), data);
		if (r != SETUP_OK)
			return r;
	}
	return SETUP_OK;
}
