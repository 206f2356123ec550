#include "setup/explain_trace.h"

#include "base/arena.h"
#include "mime/header.h"

/* Above ours there may be a few of programs that delivered it. */
#define FIELDS_MAX 50

/* "by NAME (Posthorn) with ESMTPS id ID ...", as smtp/received.c writes it. */
static struct str our_part(struct str received, struct str server, struct arena *a)
{
	struct str mark = arena_printf(a, "by %" STR_FMT " (Posthorn) with ", STR_ARG(server));
	ssize_t at = str_find_nocase(received, mark);

	if (at < 0 || (at > 0 && received.p[at - 1] != ' '))
		return STR_NONE;
	return str_skip(received, (size_t)at);
}

static struct str word_behind(struct str text, struct str before)
{
	struct str word;
	ssize_t at = str_find(text, before);

	if (at < 0)
		return STR_NONE;
	text = str_skip(text, (size_t)at + before.n);
	if (!str_next_word(&text, &word))
		return STR_NONE;
	if (str_ends(word, STR(";")))
		word.n--;
	return word;
}

/* "from HELO (NAME [ADDRESS]) ...": HELO has no blanks or brackets in it. */
static void read_client(struct str from, struct explain_trace *out)
{
	struct str word, inside, rest;

	str_next_word(&from, &word);
	if (!str_eq(word, STR("from")) || !str_next_word(&from, &word))
		return;
	out->helo = word;
	if (!str_cut(from, '[', &rest, &from) || !str_cut(from, ']', &inside, &rest))
		return;
	if (str_starts_nocase(inside, STR("IPv6:")))
		inside = str_skip(inside, 5);
	out->client_address = inside;
}

static void read_received(struct str value, struct str by, struct explain_trace *out)
{
	struct str from = str_sub(value, 0, value.n - by.n);

	out->ours = true;
	out->id = word_behind(by, STR(" id "));
	read_client(from, out);
	out->submitted = !out->client_address.n;
}

static struct str without_brackets(struct str s)
{
	s = str_trim(s);
	return str_starts(s, STR("<")) && str_ends(s, STR(">")) ? str_sub(s, 1, s.n - 2) : s;
}

/* RFC 8601 2.2: the name of the server comes first. */
static bool is_by(struct str results, struct str server)
{
	struct str name, rest;

	str_cut(results, ';', &name, &rest);
	return str_eq_nocase(str_trim(name), server);
}

/* On one line, and with nothing but spaces between its words. */
static struct str one_line(struct str value, struct arena *a)
{
	char *p = arena_cstr(a, mime_field_unfold(value, a));

	for (char *c = p; *c; c++)
		if (*c == '\t')
			*c = ' ';
	return str_from(p);
}

static void add_result(struct explain_trace *out, const struct mime_field *f, struct str value,
		       struct arena *a)
{
	if (out->result_count < EXPLAIN_RESULTS_MAX)
		out->results[out->result_count++] = arena_printf(a, "%" STR_FMT ": %" STR_FMT,
								 STR_ARG(f->name), STR_ARG(value));
}

void explain_trace_read(struct str message, struct str server, struct arena *a,
			struct explain_trace *out)
{
	struct mime_header_iter it;
	struct mime_field f;
	struct explain_trace t = { .ours = false };

	*out = t;
	mime_header_begin(&it, message, MIME_HEADER_NO_LIMITS);
	for (size_t i = 0; i < FIELDS_MAX && mime_header_next(&it, &f) > 0; i++) {
		struct str value = one_line(f.value, a);
		if (str_eq_nocase(f.name, STR("Return-Path")) && !t.has_sender) {
			t.sender = without_brackets(value);
			t.has_sender = true;
		} else if (str_eq_nocase(f.name, STR("Authentication-Results"))) {
			if (is_by(value, server))
				add_result(&t, &f, value, a);
		} else if (str_eq_nocase(f.name, STR("Received-SPF"))) {
			add_result(&t, &f, value, a);
		} else if (str_eq_nocase(f.name, STR("Received"))) {
			struct str by = our_part(value, server, a);
			if (!by.n)
				return;
			read_received(value, by, &t);
			t.size = (size_t)(f.whole.p + f.whole.n - message.p);
			*out = t;
			return;
		}
	}
}
