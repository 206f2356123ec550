#include "text_feed.h"

#include <errno.h>

static struct text_feed *of(struct imap_feed *f)
{
	return CONTAINER_OF(f, struct text_feed, feed);
}

static int text_line(struct imap_feed *f, struct arena *a, size_t max, struct str *out)
{
	struct str line;

	if (!str_next_line(&of(f)->rest, &line))
		return -ENODATA;
	*out = arena_str(a, line);
	return line.n > max ? -EMSGSIZE : 0;
}

static int text_literal(struct imap_feed *f, struct arena *a, uint64_t n, struct str *out)
{
	struct text_feed *t = of(f);

	if (t->rest.n < n)
		return -ENODATA;
	if (out)
		*out = arena_str(a, str_sub(t->rest, 0, n));
	t->rest = str_skip(t->rest, n);
	return 0;
}

static int text_ask(struct imap_feed *f)
{
	of(f)->asked++;
	return 0;
}

static struct imap_lexer *begin(struct text_feed *t, struct str text,
				const struct imap_lexer_limits *limits)
{
	*t = (struct text_feed){
		.feed = { .line = text_line, .literal = text_literal, .ask = text_ask },
		.rest = text,
	};
	imap_lexer_init(&t->lexer, &t->feed, &t->arena, limits);
	struct str tag;
	check(imap_lexer_begin(&t->lexer, &tag) == 0);
	return &t->lexer;
}

struct imap_lexer *text_feed_begin(struct text_feed *t, struct str text)
{
	static const struct imap_lexer_limits limits = {
		.line = 200, .literal = 100, .command = 400, .skip = 1000
	};

	return begin(t, text, &limits);
}

struct imap_lexer *text_feed_begin_long(struct text_feed *t, struct str text)
{
	static const struct imap_lexer_limits limits = { .line = 65536, .command = 65536 };

	return begin(t, text, &limits);
}

void text_feed_done(struct text_feed *t)
{
	arena_done(&t->arena);
}
