/* The ID command (RFC 2971), the same before and after the login. */
#pragma once

#include "base/check.h"

struct imap_lexer;
struct stream;

/* Parse the arguments behind "ID", which are of no use to us, to the end of the command. */
int may_suspend must_check imap_id_parse(struct imap_lexer *lx);

/* The untagged answer. */
void may_suspend imap_id_write(struct stream *s);
