#include "imap/lexer_date.h"

#include "imap/lexer.h"
#include "mime/date.h"

/* What stands between here and the next byte of `ends`. */
static struct str take_until(struct imap_lexer *lx, const char *ends)
{
	size_t from = lx->pos;

	while (lx->pos < lx->line.n && !strchr(ends, lx->line.p[lx->pos]))
		lx->pos++;
	return str_sub(lx->line, from, lx->pos - from);
}

int imap_lexer_date(struct imap_lexer *lx, int32_t *days)
{
	bool quoted = imap_lexer_accept(lx, '"');
	struct str text = take_until(lx, quoted ? "\"" : " )");

	if (quoted && !imap_lexer_accept(lx, '"'))
		return imap_lexer_bad(lx, "Missing closing quote");
	if (mime_date_imap_day_parse(text, days) < 0)
		return imap_lexer_bad(lx, "Invalid date");
	return 0;
}

int imap_lexer_date_time(struct imap_lexer *lx, struct mime_date *out)
{
	if (!imap_lexer_accept(lx, '"'))
		return imap_lexer_bad(lx, "Expected a date and time in quotes");
	struct str text = take_until(lx, "\"");
	if (!imap_lexer_accept(lx, '"'))
		return imap_lexer_bad(lx, "Missing closing quote");
	if (mime_date_imap_parse(text, out) < 0)
		return imap_lexer_bad(lx, "Invalid date and time");
	return 0;
}
