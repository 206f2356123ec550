/* Mailbox names in commands: modified UTF-7 outside (RFC 3501 5.1.3), UTF-8 inside. */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct arena;
struct imap_lexer;

/* The name to UTF-8. Names in plain UTF-8, which some clients send, are taken as they are. 0 or
 * -EINVAL. */
int must_check imap_mailbox_name_decode(struct str name, struct arena *a, struct str *out);

/* The same in the spelling that this client uses: once it enabled UTF-8, that and nothing else. */
int must_check imap_lexer_decode_mailbox(struct imap_lexer *lx, struct str name, struct str *out);

/* An astring that is a mailbox name. Results as in imap/lexer.h. */
int may_suspend must_check imap_lexer_mailbox(struct imap_lexer *lx, struct str *out);
