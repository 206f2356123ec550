/* The text of HTML as its reader sees it: without tags, comments, scripts and styles, entities as
 * their characters, white space as one space. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

#define MIME_HTML_WORD_MAX 12

enum mime_html_state {
	MIME_HTML_TEXT,
	MIME_HTML_ENTITY,   /* behind '&' */
	MIME_HTML_TAG_NAME, /* behind '<' */
	MIME_HTML_TAG,
	MIME_HTML_VALUE,   /* in quotes in a tag */
	MIME_HTML_COMMENT, /* behind "<!--" */
	MIME_HTML_HIDDEN,  /* in an element that is not shown */
};

struct mime_html {
	enum mime_html_state state;
	char word[MIME_HTML_WORD_MAX]; /* of an entity or a tag, lower case for the latter */
	unsigned n_word;
	char last;	    /* byte before, in a tag */
	char quote;	    /* that ends a value */
	unsigned matched;   /* bytes of what ends a comment or a hidden element */
	const char *hidden; /* what ends it */
	bool space;	    /* before the next character */
};

void mime_html_init(struct mime_html *h);
/* Pieces of UTF-8, cut anywhere. */
void mime_html_put(struct mime_html *h, struct str html, struct buf *out);
void mime_html_finish(struct mime_html *h, struct buf *out);
