/* A lexer's feed over text in memory, with a lexer on top. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "imap/lexer.h"

struct text_feed {
	struct imap_feed feed;
	struct str rest;
	unsigned asked; /* continuation requests */
	struct arena arena;
	struct imap_lexer lexer;
};

/* A lexer at the beginning of the first line of `text`. */
struct imap_lexer *text_feed_begin(struct text_feed *t, struct str text);
/* The same where a line may be as long as a session allows. */
struct imap_lexer *text_feed_begin_long(struct text_feed *t, struct str text);
void text_feed_done(struct text_feed *t);
