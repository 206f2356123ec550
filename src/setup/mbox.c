#include "setup/mbox.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "store/store.h"

#define MESSAGE_MAX  ((size_t)1 << 30)
#define KEYWORDS_MAX 64

static const struct {
	char field; /* 'S'tatus, 'X'-Status */
	char letter;
	uint32_t flag;
} letters[] = {
	{ 'S', 'R', STORE_SEEN },  { 'X', 'A', STORE_ANSWERED }, { 'X', 'F', STORE_FLAGGED },
	{ 'X', 'T', STORE_DRAFT }, { 'X', 'D', STORE_DELETED },
};

static void put_letters(FILE *out, char field, uint32_t flags)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (letters[i].field == field && flags & letters[i].flag)
			fputc(letters[i].letter, out);
}

static void put_flags(FILE *out, const struct mbox_message *m)
{
	fputs("Status: ", out);
	put_letters(out, 'S', m->flags);
	fputs("O\nX-Status: ", out);
	put_letters(out, 'X', m->flags);
	fputc('\n', out);
	if (m->nkeywords) {
		fputs("X-Keywords:", out);
		for (size_t i = 0; i < m->nkeywords; i++)
			fprintf(out, " %" STR_FMT, STR_ARG(m->keywords[i]));
		fputc('\n', out);
	}
}

static bool is_quoted_from(struct str line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] == '>')
		n++;
	return str_starts(str_skip(line, n), STR("From "));
}

/* The fields that we write ourselves. */
static bool is_flag_field(struct str line)
{
	return str_starts_nocase(line, STR("Status:")) ||
	       str_starts_nocase(line, STR("X-Status:")) ||
	       str_starts_nocase(line, STR("X-Keywords:"));
}

void mbox_write(FILE *out, const struct mbox_message *m)
{
	char when[40];
	time_t t = m->date == INT64_MIN ? 0 : (time_t)m->date;
	struct tm tm;
	bool in_header = true;

	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
	fprintf(out, "From MAILER-DAEMON %s\n", when);
	put_flags(out, m);
	for (struct str rest = m->text, line; str_next_line(&rest, &line);) {
		in_header &= line.n > 0;
		if (in_header && is_flag_field(line))
			continue;
		if (is_quoted_from(line))
			fputc('>', out);
		fwrite(line.p, 1, line.n, out);
		fputc('\n', out);
	}
	fputc('\n', out);
}

void mbox_reader_init(struct mbox_reader *r, FILE *in)
{
	*r = (struct mbox_reader){ .in = in };
}

void mbox_reader_done(struct mbox_reader *r)
{
	free(r->line);
}

static struct str without_line_end(const char *p, ssize_t n)
{
	struct str line = str_of(p, (size_t)n);

	if (line.n && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* "From someone Thu Jan  1 00:00:00 1970"; what cannot be understood is no date. */
static int64_t separator_date(struct str line)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4], text[200];
	struct tm tm = { 0 };

	if (line.n < 24 || line.n >= sizeof(text))
		return INT64_MIN;
	memcpy(text, line.p + line.n - 24, 24);
	text[24] = '\0';
	if (sscanf(text, "%*3s %3s %2d %2d:%2d:%2d %4d", month, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec, &tm.tm_year) != 6)
		return INT64_MIN;
	const char *at = strstr(months, month);
	if (!at || (at - months) % 3)
		return INT64_MIN;
	tm.tm_mon = (int)((at - months) / 3);
	tm.tm_year -= 1900;
	return timegm(&tm);
}

static void take_letters(struct mbox_message *m, char field, struct str value)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (letters[i].field == field && str_find_byte(value, letters[i].letter) >= 0)
			m->flags |= letters[i].flag;
}

static void take_keywords(struct mbox_message *m, struct str value, struct arena *a)
{
	struct str word, rest = arena_str(a, str_trim(value));

	m->keywords = ARENA_NEW_ARRAY(a, struct str, KEYWORDS_MAX);
	m->nkeywords = 0;
	for (bool more = rest.n > 0; more && m->nkeywords < KEYWORDS_MAX;) {
		more = str_cut(rest, ' ', &word, &rest);
		if (word.n)
			m->keywords[m->nkeywords++] = word;
	}
}

static void take_field(struct mbox_message *m, struct str line, struct arena *a)
{
	ssize_t colon = str_find_byte(line, ':');
	struct str value = str_skip(line, (size_t)(colon + 1));

	if (str_starts_nocase(line, STR("X-Keywords:")))
		take_keywords(m, value, a);
	else
		take_letters(m, str_starts_nocase(line, STR("S")) ? 'S' : 'X', value);
}

/* Lines up to the next separator, which stays in r->line. */
static int read_text(struct mbox_reader *r, struct arena *a, struct mbox_message *m)
{
	bool in_header = true, was_empty = false;
	struct buf text;

	buf_init(&text, a, MESSAGE_MAX);
	while ((r->n = getline(&r->line, &r->cap, r->in)) > 0) {
		struct str line = without_line_end(r->line, r->n);
		if (was_empty && str_starts(line, STR("From ")))
			break;
		if (was_empty)
			buf_putc(&text, '\n');
		was_empty = line.n == 0;
		in_header &= !was_empty;
		if (in_header && is_flag_field(line)) {
			take_field(m, line, a);
			continue;
		}
		if (str_starts(line, STR(">")) && is_quoted_from(line))
			line = str_skip(line, 1);
		buf_put_str(&text, line);
		if (!was_empty)
			buf_putc(&text, '\n');
	}
	/* The empty line in front of a separator belongs to it. */
	m->text = buf_str(&text);
	return buf_failed(&text) ? -EFBIG : 1;
}

int mbox_read(struct mbox_reader *r, struct arena *a, struct mbox_message *out)
{
	*out = (struct mbox_message){ 0 };
	while (r->n == 0) { /* the first separator */
		r->n = getline(&r->line, &r->cap, r->in);
		if (r->n > 0 && without_line_end(r->line, r->n).n == 0)
			r->n = 0;
	}
	if (r->n < 0)
		return 0;
	struct str line = without_line_end(r->line, r->n);
	if (!str_starts(line, STR("From ")))
		return -EBADMSG;
	out->date = separator_date(line);
	return read_text(r, a, out);
}
