/* setup relay add-domain, exclude-domain, add-auth: through which servers mail leaves. */
#include <errno.h>

#include "auth/address.h"
#include "base/err.h"
#include "base/fd.h"
#include "setup/message.h"
#include "setup/prompt.h"
#include "setup/setup_file.h"

#define PORT_MAX 65535

/* In place of what the file says of this key. */
static int put(struct setup *s, const char *file, struct str key, struct str value, struct err *err)
{
	struct str text;
	struct buf out;

	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int r = setup_file_read(s, file, &text, err);
	if (r < 0)
		return r;
	buf_init(&out, &s->arena, SETUP_FILE_MAX);
	(void)setup_remove_key(text, key, ' ', &out);
	setup_append_line(&out, arena_printf(&s->arena, "%s%s%" STR_FMT, key.p, value.n ? " " : "",
					     STR_ARG(value)));
	if (buf_failed(&out))
		return err_set(err, -EFBIG, "'%s' is too large", file);
	return setup_file_write(s, file, buf_str(&out), err);
}

static bool is_word(struct str text, struct str forbidden)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f ||
		    str_find_byte(forbidden, text.p[i]) >= 0)
			return false;
	return text.n > 0;
}

/* "@domain" of the first argument, which may come with the @. */
static bool take_domain(struct setup *s, struct str *key)
{
	struct str domain = setup_arg(s, 0);

	if (str_starts(domain, STR("@")))
		domain = str_skip(domain, 1);
	if (!is_word(domain, STR("@:[]#"))) {
		message_fail_usage(s, "'%s' is not a domain", setup_arg(s, 0).p);
		return false;
	}
	*key = arena_printf(&s->arena, "@%s", address_fold(&s->arena, domain).p);
	return true;
}

static bool take_port(struct str text, unsigned *port)
{
	*port = 0;
	for (size_t i = 0; i < text.n && *port <= PORT_MAX; i++) {
		if (!ascii_is_digit((unsigned char)text.p[i]))
			return false;
		*port = *port * 10 + (unsigned)(text.p[i] - '0');
	}
	return *port > 0 && *port <= PORT_MAX;
}

static enum setup_exit put_or_fail(struct setup *s, const char *file, struct str key,
				   struct str value)
{
	struct err err;

	return put(s, file, key, value, &err) < 0 ? message_fail(s, "%s", err.text) : SETUP_OK;
}

enum setup_exit cmd_relay_add_domain(struct setup *s)
{
	struct str key, host = setup_arg(s, 1);
	unsigned port = 25;

	if (!take_domain(s, &key))
		return SETUP_ERROR;
	if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
		host = str_sub(host, 1, host.n - 2);
	if (!is_word(host, STR("@[]")))
		return message_fail_usage(s, "'%s' is not a host", setup_arg(s, 1).p);
	if (!message_args_end(s, 3))
		return SETUP_ERROR;
	if (s->count == 3 && !take_port(setup_arg(s, 2), &port))
		return message_fail_usage(s, "'%s' is not a port", setup_arg(s, 2).p);
	return put_or_fail(s, SETUP_RELAYS, key,
			   arena_printf(&s->arena, "[%" STR_FMT "]:%u", STR_ARG(host), port));
}

enum setup_exit cmd_relay_exclude_domain(struct setup *s)
{
	struct str key;

	if (!message_args_end(s, 1))
		return SETUP_ERROR;
	return take_domain(s, &key) ? put_or_fail(s, SETUP_RELAYS, key, STR_NONE) : SETUP_ERROR;
}

enum setup_exit cmd_relay_add_auth(struct setup *s)
{
	struct str key, user = setup_arg(s, 1), password = setup_args_from(s, 2);

	if (!take_domain(s, &key))
		return SETUP_ERROR;
	if (!is_word(user, STR(":")))
		return message_fail_usage(s, "'%s' is not a valid name", user.p);
	if (password.n == 0 && !prompt_password(s, &password))
		return SETUP_ERROR;
	/* A line of the file ends with it. */
	if (!str_eq(str_trim(password), password) || str_find_byte(password, '\n') >= 0 ||
	    str_find_byte(password, '\r') >= 0)
		return message_fail(
			s, "The password must not begin or end with a blank, or hold a line end");
	return put_or_fail(s, SETUP_RELAY_LOGINS, key,
			   arena_printf(&s->arena, "%s:%" STR_FMT, user.p, STR_ARG(password)));
}
