#include "setup/account_edit.h"
#include "setup/message.h"

enum setup_exit cmd_email_update(struct setup *s)
{
	struct str asked = setup_arg(s, 0);

	if (str_find_byte(asked, '@') < 0)
		return message_fail_usage(
			s, "'%s' should include the domain (eg: user@example.com)", asked.p);
	return account_update(s, &account_file_users, account_normalize(s, asked),
			      setup_args_from(s, 1));
}
