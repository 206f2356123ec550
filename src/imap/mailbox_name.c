#include "imap/mailbox_name.h"

#include <errno.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "imap/lexer.h"
#include "mime/utf7.h"
#include "store/store.h"

int imap_mailbox_name_decode(struct str name, struct arena *a, struct str *out)
{
	struct buf b;

	if (!str_is_ascii(name)) {
		if (!utf8_is_valid(name))
			return -EINVAL;
		*out = name;
		return 0;
	}
	/* Nothing grows in decoding but what the store refuses anyway. */
	buf_init(&b, a, 4 * STORE_NAME_MAX);
	if (mime_utf7_decode(name, &b) < 0 || buf_failed(&b))
		return -EINVAL;
	*out = buf_str(&b);
	return 0;
}

int imap_lexer_decode_mailbox(struct imap_lexer *lx, struct str name, struct str *out)
{
	if (!lx->utf8_names)
		return imap_mailbox_name_decode(name, lx->arena, out);
	if (!utf8_is_valid(name))
		return -EINVAL;
	*out = name;
	return 0;
}

int imap_lexer_mailbox(struct imap_lexer *lx, struct str *out)
{
	struct str name;

	int r = imap_lexer_astring(lx, &name);
	if (r < 0)
		return r;
	if (imap_lexer_decode_mailbox(lx, name, out) < 0)
		return imap_lexer_bad(lx, lx->utf8_names
						  ? "Mailbox name is not valid UTF-8"
						  : "Mailbox name is not valid modified UTF-7");
	return 0;
}
