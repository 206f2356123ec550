/* Messages as the files of a Maildir, in a tar archive or a directory: the paths of what is
 * exported, and what the paths of an import say.
 *
 * 	cur/1700000000.M1P2.host,S=20,W=22:2,FSa	in INBOX
 * 	.Archive.2024/cur/...
 * 	.Archive.2024/dovecot-keywords			"0 $Label1": what the 'a' above means */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

#define MAILDIR_KEYWORDS 26

/* "" for INBOX, ".Archive.2024/" for others, in modified UTF-7. */
struct str maildir_entry_folder(struct str mailbox, struct arena *a);
/* "cur/<name>:2,<letters>" behind that; `name` is unique, `keywords` are bits. */
struct str maildir_entry_message(struct str folder, struct str name, uint32_t flags,
				 uint64_t keywords, struct arena *a);

enum maildir_entry_kind {
	MAILDIR_ENTRY_OTHER,
	MAILDIR_ENTRY_MESSAGE,
	MAILDIR_ENTRY_KEYWORDS,
};

struct maildir_entry {
	enum maildir_entry_kind kind;
	struct str mailbox; /* UTF-8 */
	uint32_t flags;
	uint32_t keywords; /* bits */
};

/* Whatever stands in front of the folder is passed over. Strings are in `a`. */
struct maildir_entry maildir_entry_parse(struct str path, struct arena *a);

/* The text of dovecot-keywords. Names are in `a`; empty: no such keyword. */
void maildir_entry_keywords(struct str text, struct str names[static MAILDIR_KEYWORDS],
			    struct arena *a);
