#include "base/err.h"
#include "setup/account_edit.h"
#include "setup/message.h"
#include "setup/setup_file.h"

enum setup_exit cmd_email_add(struct setup *s)
{
	struct str asked = setup_arg(s, 0), aliases;
	struct err err;

	if (str_find_byte(asked, '@') < 0)
		return message_fail_usage(
			s, "'%s' should include the domain (eg: user@example.com)", asked.p);

	struct str name = account_normalize(s, asked);
	int r = account_exists(s, &account_file_users, name);
	if (r < 0)
		return SETUP_ERROR;
	if (r > 0)
		return message_fail(s, "'%s' already exists", name.p);
	if (setup_file_read(s, SETUP_VIRTUAL, &aliases, &err) < 0)
		return message_fail(s, "%s", err.text);
	if (setup_has_key(aliases, name, ' '))
		return message_fail(s, "'%s' is already defined as an alias", name.p);
	return account_add(s, &account_file_users, name, setup_args_from(s, 1));
}
