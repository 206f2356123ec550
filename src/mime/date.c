#include "mime/date.h"

#include <errno.h>

#include "mime/lex.h"

#define DAY_S	     86400
#define FIRST_DAY    (-719528) /* 0000-01-01 */
#define LAST_DAY     2932896   /* 9999-12-31 */
#define ZONE_MIN_MAX (99 * 60 + 59)

/* Broken-down time of the writer's clock. */
struct clock {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
};

static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char day_names[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };

/* RFC 5322 4.3; every other name, and the military letters that RFC 822 defined wrongly, says
 * nothing about the offset. */
static const struct zone {
	struct str name;
	int16_t minutes;
} zones[] = {
	{ STR_INIT("UT"), 0 },	      { STR_INIT("GMT"), 0 },	    { STR_INIT("UTC"), 0 },
	{ STR_INIT("Z"), 0 },	      { STR_INIT("EST"), -5 * 60 }, { STR_INIT("EDT"), -4 * 60 },
	{ STR_INIT("CST"), -6 * 60 }, { STR_INIT("CDT"), -5 * 60 }, { STR_INIT("MST"), -7 * 60 },
	{ STR_INIT("MDT"), -6 * 60 }, { STR_INIT("PST"), -8 * 60 }, { STR_INIT("PDT"), -7 * 60 },
};

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since the epoch, proleptic Gregorian, for years from 0. Years are counted from March, so
 * that the leap day is the last of its year. */
static int32_t day_number(int year, int month, int day)
{
	int y = month <= 2 ? year + 399 : year + 400; /* never negative */
	int from_march = (month + 9) % 12;
	int day_of_year = (153 * from_march + 2) / 5 + day - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468 - 146097;
}

static void day_split(int32_t number, struct clock *c)
{
	int32_t days = number - FIRST_DAY;
	int year = days / 366;
	while (days >= day_number(year + 1, 1, 1) - FIRST_DAY)
		year++;
	int32_t left = number - day_number(year, 1, 1);
	int month = 1;
	while (left >= days_in_month(year, month))
		left -= days_in_month(year, month++);
	c->year = year;
	c->month = month;
	c->day = left + 1;
}

/* The date part is within its calendar and the time within its day; 60 is a leap second. */
static bool clock_is_valid(const struct clock *c)
{
	return c->year >= 0 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
	       c->day <= days_in_month(c->year, c->month) && c->hour <= 23 && c->minute <= 59 &&
	       c->second <= 60;
}

static int64_t clock_to_unix(const struct clock *c, int zone_min)
{
	int64_t days = day_number(c->year, c->month, c->day);
	int64_t seconds = c->hour * 3600 + c->minute * 60 + c->second;
	return days * DAY_S + seconds - zone_min * 60;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void clock_from_date(const struct mime_date *d, struct clock *c)
{
	int64_t local;
	if (__builtin_add_overflow(d->unix_s, (int64_t)d->zone_min * 60, &local))
		local = d->unix_s;
	if (local < (int64_t)FIRST_DAY * DAY_S)
		local = (int64_t)FIRST_DAY * DAY_S;
	if (local > (int64_t)LAST_DAY * DAY_S + DAY_S - 1)
		local = (int64_t)LAST_DAY * DAY_S + DAY_S - 1;

	int64_t day = floor_div(local, DAY_S);
	int second = (int)(local - day * DAY_S);
	day_split((int32_t)day, c);
	c->hour = second / 3600;
	c->minute = second / 60 % 60;
	c->second = second % 60;
}

/* A Date field is numbers, words and single other bytes, with CFWS between them. */
enum token_kind {
	TOKEN_END,
	TOKEN_NUMBER,
	TOKEN_WORD,
	TOKEN_OTHER
};

struct token {
	enum token_kind kind;
	struct str text;
	int value; /* of a number, -1 when it has more than four digits */
};

static int number_value(struct str digits)
{
	int v = 0;
	if (digits.n > 4)
		return -1;
	for (size_t i = 0; i < digits.n; i++)
		v = v * 10 + (digits.p[i] - '0');
	return v;
}

static struct token next_token(struct str *rest)
{
	struct str s = mime_lex_skip_cfws(*rest);
	struct token t = { TOKEN_END, str_sub(s, 0, 1), 0 };
	if (s.n) {
		bool (*is_part)(int) =
			ascii_is_digit((unsigned char)s.p[0]) ? ascii_is_digit : ascii_is_alpha;
		size_t n = 0;
		while (n < s.n && is_part((unsigned char)s.p[n]))
			n++;
		t.kind = n == 0			     ? TOKEN_OTHER
			 : is_part == ascii_is_digit ? TOKEN_NUMBER
						     : TOKEN_WORD;
		t.text = str_sub(s, 0, n ? n : 1);
		if (t.kind == TOKEN_NUMBER)
			t.value = number_value(t.text);
	}
	*rest = str_skip(s, t.text.n);
	return t;
}

static bool take_number(struct str *rest, int *out)
{
	struct token t = next_token(rest);
	*out = t.value;
	return t.kind == TOKEN_NUMBER && t.value >= 0;
}

static bool take_byte(struct str *rest, char c)
{
	struct str after = *rest;
	struct token t = next_token(&after);
	if (t.kind != TOKEN_OTHER || t.text.p[0] != c)
		return false;
	*rest = after;
	return true;
}

/* 1..12 by the first three letters, 0 for no month: full names are common in broken mail. */
static int month_of(struct str word)
{
	for (int i = 0; i < 12; i++)
		if (str_starts_nocase(word, str_of(month_names[i], 3)))
			return i + 1;
	return 0;
}

/* RFC 5322 4.3: two digits below 50 are this century, other two- and three-digit years count
 * from 1900. */
static bool take_year(struct str *rest, int *out)
{
	struct token t = next_token(rest);
	if (t.kind != TOKEN_NUMBER || t.value < 0 || t.text.n < 2)
		return false;
	*out = t.value;
	if (t.text.n == 2)
		*out += t.value < 50 ? 2000 : 1900;
	else if (t.text.n == 3)
		*out += 1900;
	return true;
}

static bool take_time(struct str *rest, struct clock *c)
{
	if (!take_number(rest, &c->hour) || !take_byte(rest, ':') || !take_number(rest, &c->minute))
		return false;
	c->second = 0;
	if (take_byte(rest, ':') && !take_number(rest, &c->second))
		return false;
	if (take_byte(rest, '.'))
		(void)next_token(rest); /* a fraction, as ISO 8601 has it */
	return true;
}

/* "+hhmm", "+hh:mm"; false when it is none. */
static bool take_offset(struct str *rest, int *minutes)
{
	int sign = take_byte(rest, '+') ? 1 : take_byte(rest, '-') ? -1 : 0;
	struct token t = next_token(rest);
	if (sign == 0 || t.kind != TOKEN_NUMBER || t.value < 0)
		return false;

	int hours = t.value / 100, mins = t.value % 100;
	if (t.text.n <= 2) {
		hours = t.value;
		mins = 0;
		if (take_byte(rest, ':') && !take_number(rest, &mins))
			return false;
	}
	if (mins > 59 || hours > 99)
		return false;
	*minutes = sign * (hours * 60 + mins);
	return true;
}

/* The zone, which old mail lacks or gives by name. Never fails: an unknown zone is UTC. */
static void take_zone(struct str *rest, struct mime_date *d)
{
	struct str s = mime_lex_skip_cfws(*rest);
	int minutes;
	d->zone_min = 0;
	d->zone_unknown = true;

	if (take_offset(rest, &minutes)) {
		d->zone_min = (int16_t)minutes;
		d->zone_unknown = minutes == 0 && s.p[0] == '-';
		return;
	}
	struct token t = next_token(&s);
	for (size_t i = 0; t.kind == TOKEN_WORD && i < ARRAY_LEN(zones); i++) {
		if (str_eq_nocase(t.text, zones[i].name)) {
			d->zone_min = zones[i].minutes;
			d->zone_unknown = false;
		}
	}
}

/* "24 Nov 2026 04:02:29 +0000"; 24-Nov-2026 and 24/Nov/2026 as well. */
static bool take_day_first(struct str *rest, struct clock *c, struct mime_date *d)
{
	if (!take_number(rest, &c->day))
		return false;
	(void)(take_byte(rest, '-') || take_byte(rest, '/'));
	c->month = month_of(next_token(rest).text);
	(void)(take_byte(rest, '-') || take_byte(rest, '/') || take_byte(rest, '.') ||
	       take_byte(rest, ','));
	if (!take_year(rest, &c->year))
		return false;
	(void)take_byte(rest, ',');
	if (!take_time(rest, c))
		return false;
	take_zone(rest, d);
	return true;
}

/* "Nov 24 04:02:29 2026", asctime(3); a zone before or after the year. */
static bool take_month_first(struct str *rest, struct clock *c, struct mime_date *d)
{
	c->month = month_of(next_token(rest).text);
	if (!take_number(rest, &c->day))
		return false;
	(void)take_byte(rest, ',');
	if (!take_time(rest, c))
		return false;

	struct str s = *rest;
	if (next_token(&s).kind == TOKEN_WORD) {
		take_zone(rest, d);
		*rest = s;
		return take_year(rest, &c->year);
	}
	if (!take_year(rest, &c->year))
		return false;
	take_zone(rest, d);
	return true;
}

int mime_date_parse(struct str value, struct mime_date *out)
{
	struct str rest = value, after = value;
	struct token t = next_token(&after);
	if (t.kind == TOKEN_WORD && !month_of(t.text)) {
		/* The day's name. It says nothing that the date does not, and is often wrong. */
		rest = after;
		(void)take_byte(&rest, '.');
		(void)take_byte(&rest, ',');
		after = rest;
		t = next_token(&after);
	}

	struct clock c = { 0 };
	struct mime_date d = { 0 };
	bool ok = t.kind == TOKEN_WORD ? take_month_first(&rest, &c, &d)
				       : take_day_first(&rest, &c, &d);
	if (!ok || !clock_is_valid(&c))
		return -EINVAL;
	d.unix_s = clock_to_unix(&c, d.zone_min);
	*out = d;
	return 0;
}

static void put_padded(struct buf *out, int v, int width, char pad)
{
	char text[8];
	for (int i = width; i-- > 0; v /= 10)
		text[i] = v || i == width - 1 ? (char)('0' + v % 10) : pad;
	buf_put(out, text, (size_t)width);
}

/* "04:02:29 +0000" */
static void put_time_zone(struct buf *out, const struct clock *c, const struct mime_date *d)
{
	int zone = d->zone_min < 0 ? -d->zone_min : d->zone_min;
	if (zone > ZONE_MIN_MAX)
		zone = ZONE_MIN_MAX;
	put_padded(out, c->hour, 2, '0');
	buf_putc(out, ':');
	put_padded(out, c->minute, 2, '0');
	buf_putc(out, ':');
	put_padded(out, c->second, 2, '0');
	buf_puts(out, d->zone_min < 0 || (zone == 0 && d->zone_unknown) ? " -" : " +");
	put_padded(out, zone / 60 * 100 + zone % 60, 4, '0');
}

void mime_date_write(struct buf *out, const struct mime_date *d)
{
	struct clock c;
	clock_from_date(d, &c);
	int32_t day = day_number(c.year, c.month, c.day);
	buf_put(out, day_names[(day - FIRST_DAY + 2) % 7], 3);
	buf_puts(out, ", ");
	buf_put_u64(out, (uint64_t)c.day);
	buf_putc(out, ' ');
	buf_put(out, month_names[c.month - 1], 3);
	buf_putc(out, ' ');
	put_padded(out, c.year, 4, '0');
	buf_putc(out, ' ');
	put_time_zone(out, &c, d);
}

void mime_date_imap_write(struct buf *out, const struct mime_date *d)
{
	struct clock c;
	clock_from_date(d, &c);
	put_padded(out, c.day, 2, ' ');
	buf_putc(out, '-');
	buf_put(out, month_names[c.month - 1], 3);
	buf_putc(out, '-');
	put_padded(out, c.year, 4, '0');
	buf_putc(out, ' ');
	put_time_zone(out, &c, d);
}

/* Does `text` look like `form`, where 9 stands for a digit, A for a letter and the rest for
 * itself? */
static bool has_form(struct str text, const char *form)
{
	if (text.n != strlen(form))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int c = (unsigned char)text.p[i];
		bool fits = form[i] == '9'   ? ascii_is_digit(c)
			    : form[i] == 'A' ? ascii_is_alpha(c)
					     : c == form[i];
		if (!fits)
			return false;
	}
	return true;
}

static int month_exact(struct str name)
{
	return name.n == 3 ? month_of(name) : 0;
}

int mime_date_imap_parse(struct str text, struct mime_date *out)
{
	if (!has_form(text, "99-AAA-9999 99:99:99 +9999") &&
	    !has_form(text, "99-AAA-9999 99:99:99 -9999") &&
	    !has_form(text, " 9-AAA-9999 99:99:99 +9999") &&
	    !has_form(text, " 9-AAA-9999 99:99:99 -9999"))
		return -EINVAL;

	int zone = number_value(str_sub(text, 22, 4));
	struct clock c = {
		.year = number_value(str_sub(text, 7, 4)),
		.month = month_exact(str_sub(text, 3, 3)),
		.day = number_value(str_trim(str_sub(text, 0, 2))),
		.hour = number_value(str_sub(text, 12, 2)),
		.minute = number_value(str_sub(text, 15, 2)),
		.second = number_value(str_sub(text, 18, 2)),
	};
	if (!clock_is_valid(&c) || zone % 100 > 59)
		return -EINVAL;

	zone = zone / 100 * 60 + zone % 100;
	out->zone_min = (int16_t)(text.p[21] == '-' ? -zone : zone);
	out->zone_unknown = text.p[21] == '-' && zone == 0;
	out->unix_s = clock_to_unix(&c, out->zone_min);
	return 0;
}

int mime_date_imap_day_parse(struct str text, int32_t *out)
{
	struct str day, month, year, rest = text;
	if (!str_cut(rest, '-', &day, &rest) || !str_cut(rest, '-', &month, &year))
		return -EINVAL;
	if ((!has_form(day, "9") && !has_form(day, "99")) || !has_form(year, "9999"))
		return -EINVAL;

	struct clock c = { .year = number_value(year),
			   .month = month_exact(month),
			   .day = number_value(day) };
	if (!clock_is_valid(&c))
		return -EINVAL;
	*out = day_number(c.year, c.month, c.day);
	return 0;
}

int32_t mime_date_day(const struct mime_date *d)
{
	struct clock c;
	clock_from_date(d, &c);
	return day_number(c.year, c.month, c.day);
}
