#include "imap/sasl.h"

#include <errno.h>

#include "base/base64.h"
#include "imap/login.h"

int imap_sasl_decode(struct str text, struct arena *a, struct str *out)
{
	struct buf b;

	if (text.n > IMAP_SASL_MAX)
		return -EINVAL;
	buf_init(&b, a, IMAP_SASL_MAX);
	if (!str_eq(text, STR("=")) && base64_parse(text, &b) < 0)
		return -EINVAL;
	*out = buf_str(&b);
	return 0;
}

int imap_sasl_parse_plain(struct str message, struct imap_credentials *out)
{
	struct str acting, rest, user, password;

	if (!str_cut(message, '\0', &acting, &rest) || !str_cut(rest, '\0', &user, &password))
		return -EINVAL;
	if (user.n == 0 || str_find_byte(password, '\0') >= 0)
		return -EINVAL;
	out->acting_user = str_eq(acting, user) ? STR_NONE : acting;
	out->user = user;
	out->password = password;
	return 0;
}
