/* A lexer over a text in memory, in which there can be no literal. */
#pragma once

#include "imap/lexer.h"

struct imap_text_lexer {
	struct imap_lexer lx;
	struct imap_feed feed;
};

/* What is parsed lives in `a`. */
void imap_text_lexer_init(struct imap_text_lexer *t, struct str text, struct arena *a);
