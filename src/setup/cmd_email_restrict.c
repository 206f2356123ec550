#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fd.h"
#include "setup/message.h"
#include "setup/prompt.h"
#include "setup/setup_file.h"

struct restriction {
	const char *direction; /* "send" */
	const char *file;
	struct str user;
};

static int append_rule(struct setup *s, const struct restriction *r, struct err *err)
{
	struct str text;
	struct buf out;

	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int e = setup_file_read(s, r->file, &text, err);
	if (e < 0)
		return e;
	if (setup_has_key(text, r->user, ' '))
		return err_set(err, -EEXIST, "User '%s' already denied to %s mails", r->user.p,
			       r->direction);
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	buf_put_str(&out, text);
	setup_append_line(&out, arena_printf(&s->arena, "%s \t\t REJECT", r->user.p));
	if (buf_failed(&out))
		return err_set(err, -EFBIG, "'%s' is too large", r->file);
	return setup_file_write(s, r->file, buf_str(&out), err);
}

static enum setup_exit restrict_add(struct setup *s, const struct restriction *r)
{
	struct err err;
	return append_rule(s, r, &err) < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

static int remove_rule(struct setup *s, const struct restriction *r, struct err *err)
{
	struct str text;
	struct buf out;

	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int e = setup_file_read(s, r->file, &text, err);
	if (e < 0)
		return e;
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	if (setup_remove_key(text, r->user, ' ', &out) == 0)
		return err_set(err, -ENOENT, "User '%s' not found", r->user.p);
	return setup_file_write(s, r->file, buf_str(&out), err);
}

static enum setup_exit restrict_del(struct setup *s, const struct restriction *r)
{
	struct err err;
	return remove_rule(s, r, &err) < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

static enum setup_exit restrict_list(struct setup *s, const struct restriction *r)
{
	struct str text;
	struct setup_line line;
	struct err err;
	bool any = false;

	if (setup_file_read(s, r->file, &text, &err) < 0)
		return message_fail(s, "%s", err.text);
	while (setup_line_next(&text, &line)) {
		if (!line.counts || str_find_nocase(line.text, STR("REJECT")) < 0)
			continue;
		printf("%" STR_FMT "\n", STR_ARG(line.text));
		any = true;
	}
	if (!any)
		message(s, MESSAGE_INFO, "Everyone is allowed to %s mails", r->direction);
	return SETUP_OK;
}

static bool parse_direction(struct str word, struct restriction *r)
{
	if (str_eq_nocase(word, STR("send")))
		*r = (struct restriction){ "send", "postfix-send-access.cf", STR("") };
	else if (str_eq_nocase(word, STR("receive")))
		*r = (struct restriction){ "receive", "postfix-receive-access.cf", STR("") };
	else
		return false;
	return true;
}

/* A key of one word: what follows a blank would become the action. */
static bool is_user(struct str user)
{
	for (size_t i = 0; i < user.n; i++)
		if ((unsigned char)user.p[i] <= ' ')
			return false;
	return user.n > 0 && user.p[0] != '#';
}

enum setup_exit cmd_email_restrict(struct setup *s)
{
	struct str action = setup_arg(s, 0);
	struct restriction r;

	bool list = str_eq(action, STR("list"));
	bool add = str_eq(action, STR("add"));
	if (!list && !add && !str_eq(action, STR("del")))
		return message_fail_usage(
			s,
			"Unknown or missing first parameter '%s' - specify 'add', 'del' or 'list'",
			action.p);
	if (!parse_direction(setup_arg(s, 1), &r))
		return message_fail_usage(
			s, "Unknown or missing second parameter '%s' - specify 'send' or 'receive'",
			setup_arg(s, 1).p);
	if (list)
		return restrict_list(s, &r);

	r.user = setup_arg(s, 2);
	if (r.user.n == 0)
		r.user = arena_str(&s->arena, prompt_line(s, "Provide a username: "));
	if (r.user.n == 0)
		return message_fail(s, "User must not be empty");
	if (!is_user(r.user))
		return message_fail(s, "'%s' is not a valid name", r.user.p);
	return add ? restrict_add(s, &r) : restrict_del(s, &r);
}
