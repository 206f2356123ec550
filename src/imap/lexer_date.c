/* Dates of SEARCH and APPEND (RFC 3501 section 9: date, date-time). */
#include "imap/calendar.h"
#include "imap/lexer.h"

static int digits(struct imap_lexer *lx, int count, int *out)
{
	int v = 0;

	for (int i = 0; i < count; i++) {
		int c = imap_lexer_look(lx);
		if (!ascii_is_digit(c))
			return imap_lexer_bad(lx, "Invalid date");
		v = v * 10 + (c - '0');
		lx->pos++;
	}
	*out = v;
	return 0;
}

/* -Mon-YYYY */
static int month_and_year(struct imap_lexer *lx, struct imap_date *d)
{
	if (!imap_lexer_accept(lx, '-'))
		return imap_lexer_bad(lx, "Invalid date");
	d->month = calendar_month(str_sub(lx->line, lx->pos, 3));
	if (d->month == 0)
		return imap_lexer_bad(lx, "Invalid month");
	lx->pos += 3;
	if (!imap_lexer_accept(lx, '-'))
		return imap_lexer_bad(lx, "Invalid date");
	int r = digits(lx, 4, &d->year);
	if (r < 0)
		return r;
	if (d->day < 1 || d->day > calendar_month_days(d->year, d->month))
		return imap_lexer_bad(lx, "No such day");
	return 0;
}

int imap_lexer_date(struct imap_lexer *lx, struct imap_date *out)
{
	struct imap_date d;
	bool quoted = imap_lexer_accept(lx, '"');

	int r = digits(lx, 1, &d.day);
	if (r < 0)
		return r;
	int c = imap_lexer_look(lx);
	if (ascii_is_digit(c)) {
		d.day = d.day * 10 + (c - '0');
		lx->pos++;
	}
	r = month_and_year(lx, &d);
	if (r < 0)
		return r;
	if (quoted && !imap_lexer_accept(lx, '"'))
		return imap_lexer_bad(lx, "Missing closing quote");
	*out = d;
	return 0;
}

/* HH:MM:SS */
static int time_of_day(struct imap_lexer *lx, int *seconds)
{
	int h, m, s, r;

	if ((r = digits(lx, 2, &h)) < 0 || (r = imap_lexer_expect(lx, ':')) < 0 ||
	    (r = digits(lx, 2, &m)) < 0 || (r = imap_lexer_expect(lx, ':')) < 0 ||
	    (r = digits(lx, 2, &s)) < 0)
		return r;
	if (h > 23 || m > 59 || s > 60)
		return imap_lexer_bad(lx, "Invalid time");
	*seconds = h * 3600 + m * 60 + s;
	return 0;
}

static int zone(struct imap_lexer *lx, int *minutes)
{
	bool west = imap_lexer_accept(lx, '-');
	int hhmm;

	if (!west && !imap_lexer_accept(lx, '+'))
		return imap_lexer_bad(lx, "Invalid time zone");
	int r = digits(lx, 4, &hhmm);
	if (r < 0)
		return r;
	if (hhmm / 100 > 23 || hhmm % 100 > 59)
		return imap_lexer_bad(lx, "Invalid time zone");
	int m = hhmm / 100 * 60 + hhmm % 100;
	*minutes = west ? -m : m;
	return 0;
}

int imap_lexer_date_time(struct imap_lexer *lx, struct imap_date_time *out)
{
	struct imap_date d;
	struct imap_date_time t;
	int seconds, r;

	if (!imap_lexer_accept(lx, '"'))
		return imap_lexer_bad(lx, "Expected a date and time in quotes");
	/* The day has two places, the first of which may be a space. */
	r = digits(lx, imap_lexer_accept(lx, ' ') ? 1 : 2, &d.day);
	if (r < 0 || (r = month_and_year(lx, &d)) < 0 || (r = imap_lexer_space(lx)) < 0 ||
	    (r = time_of_day(lx, &seconds)) < 0 || (r = imap_lexer_space(lx)) < 0 ||
	    (r = zone(lx, &t.zone)) < 0)
		return r;
	if (!imap_lexer_accept(lx, '"'))
		return imap_lexer_bad(lx, "Missing closing quote");
	t.seconds = calendar_days(d.year, d.month, d.day) * 86400 + seconds - t.zone * 60;
	*out = t;
	return 0;
}
