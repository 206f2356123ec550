#include "imap/text_lexer.h"

#include <errno.h>

static int no_line(struct imap_feed *f, struct arena *a, size_t max, struct str *out)
{
	(void)f, (void)a, (void)max, (void)out;
	return -EBADMSG;
}

static int no_literal(struct imap_feed *f, struct arena *a, uint64_t n, struct str *out)
{
	(void)f, (void)a, (void)n, (void)out;
	return -EBADMSG;
}

static int no_ask(struct imap_feed *f)
{
	(void)f;
	return -EBADMSG;
}

void imap_text_lexer_init(struct imap_text_lexer *t, struct str text, struct arena *a)
{
	struct imap_lexer_limits limits = { .line = text.n, .literal = text.n, .command = text.n };

	t->feed = (struct imap_feed){ .line = no_line, .literal = no_literal, .ask = no_ask };
	imap_lexer_init(&t->lx, &t->feed, a, &limits);
	t->lx.line = text;
}
