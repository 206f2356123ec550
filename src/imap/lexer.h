/* The tokens of an IMAP command (RFC 3501 section 9), pulled one by one by the parser of the
 * command.
 *
 * The lexer reads on as it goes: a literal in the middle of a command is asked for with a
 * continuation request at the moment the parser reaches it, so a command refused before its
 * literal never receives one. The bytes come from a feed, which is a stream in a server and memory
 * in a test.
 *
 * All functions return 0, or -EBADMSG when the input is not what was expected (`bad` then says
 * what, in words fit for a tagged BAD), or what the feed returned. Strings live in the lexer's
 * arena. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;

struct imap_feed {
	/* The next line without its line end. -EMSGSIZE when it has more than max bytes; it has
	 * been read away then, and *out is how it began. */
	int may_suspend (*line)(struct imap_feed *f, struct arena *a, size_t max, struct str *out);
	/* The next n bytes; NULL for out: read and forget them. */
	int may_suspend (*literal)(struct imap_feed *f, struct arena *a, uint64_t n,
				   struct str *out);
	/* Send a continuation request: the client waits for it before a synchronising literal. */
	int may_suspend (*ask)(struct imap_feed *f);
};

struct imap_lexer_limits {
	size_t line;	/* bytes of one line */
	size_t literal; /* bytes of one literal that is a string */
	size_t command; /* bytes of all lines and literals of a command */
	uint64_t skip;	/* bytes of literals read and thrown away after an error */
};

struct imap_lexer {
	struct imap_feed *feed;
	struct arena *arena;
	struct imap_lexer_limits limits;
	struct str line; /* the part of the command that is being looked at */
	size_t pos;
	size_t used; /* bytes of this command so far */
	const char *bad;
	bool utf8_names; /* mailbox names are UTF-8, and "&" is itself (RFC 9755 3, RFC 9051 5.1) */
};

/* `{123}`, `{123+}` (RFC 7888): a literal announced at the end of the line. */
struct imap_literal {
	uint64_t size;
	bool sync;   /* the client waits for a continuation request */
	bool binary; /* "~{123}": may have NUL in it (RFC 3516) */
};

void imap_lexer_init(struct imap_lexer *lx, struct imap_feed *feed, struct arena *a,
		     const struct imap_lexer_limits *limits);

/* Read the first line of the next command. -EBADMSG when it is too long: nothing of it is left in
 * the feed; *tag is its tag, or nothing when that cannot be told. */
int may_suspend must_check imap_lexer_begin(struct imap_lexer *lx, struct str *tag);

/* Read away what is left of a command that was not understood, including non-synchronising
 * literals: the client sends those without asking. -EFBIG when they are too large to wait for. */
int may_suspend must_check imap_lexer_skip_rest(struct imap_lexer *lx);

/* Refuse the input. Returns -EBADMSG; `what` is a literal. */
static inline int imap_lexer_bad(struct imap_lexer *lx, const char *what)
{
	lx->bad = what;
	return -EBADMSG;
}

/* The next byte, or -1 at the end of the line. */
int imap_lexer_look(const struct imap_lexer *lx);
bool imap_lexer_accept(struct imap_lexer *lx, char c);
/* The same for a word, without regard to case; it must end there. */
bool imap_lexer_accept_word(struct imap_lexer *lx, const char *word);
int must_check imap_lexer_expect(struct imap_lexer *lx, char c);
int must_check imap_lexer_space(struct imap_lexer *lx);
int must_check imap_lexer_end(struct imap_lexer *lx);

int must_check imap_lexer_tag(struct imap_lexer *lx, struct str *out);
int must_check imap_lexer_atom(struct imap_lexer *lx, struct str *out);
int must_check imap_lexer_number(struct imap_lexer *lx, uint32_t *out);
/* `\Word` or a keyword, as written. */
int must_check imap_lexer_flag(struct imap_lexer *lx, struct str *out);
/* The characters that can be in a sequence set. */
int must_check imap_lexer_sequence(struct imap_lexer *lx, struct str *out);

/* These may wait for a literal. */
int may_suspend must_check imap_lexer_string(struct imap_lexer *lx, struct str *out);
/* NIL gives out->p == NULL. */
int may_suspend must_check imap_lexer_nstring(struct imap_lexer *lx, struct str *out);
int may_suspend must_check imap_lexer_astring(struct imap_lexer *lx, struct str *out);
/* An astring that may hold the wildcards * and %. */
int may_suspend must_check imap_lexer_list_mailbox(struct imap_lexer *lx, struct str *out);

/* The announcement of a literal whose bytes the caller reads itself; it then calls
 * imap_lexer_resume. */
int must_check imap_lexer_literal(struct imap_lexer *lx, struct imap_literal *out);
/* The same where a literal8 is allowed too. */
int must_check imap_lexer_literal8(struct imap_lexer *lx, struct imap_literal *out);
int may_suspend must_check imap_lexer_resume(struct imap_lexer *lx);
