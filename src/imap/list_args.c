#include "imap/list_args.h"

#include "base/arena.h"
#include "imap/lexer.h"
#include "imap/mailbox_name.h"
#include "imap/status_items.h"

#define PATTERNS_MAX 100

static int parse_selection(struct imap_lexer *lx, struct imap_list_args *out)
{
	struct str word;
	int r;

	out->options |= IMAP_LIST_EXTENDED;
	for (bool first = true; !imap_lexer_accept(lx, ')'); first = false) {
		if ((!first && (r = imap_lexer_space(lx)) < 0) ||
		    (r = imap_lexer_atom(lx, &word)) < 0)
			return r;
		if (str_eq_nocase(word, STR("SUBSCRIBED")))
			out->options |= IMAP_LIST_SUBSCRIBED | IMAP_LIST_TELL_SUBSCRIBED;
		else if (str_eq_nocase(word, STR("SPECIAL-USE")))
			out->options |= IMAP_LIST_SPECIAL_USE;
		else if (str_eq_nocase(word, STR("RECURSIVEMATCH")))
			out->options |= IMAP_LIST_RECURSIVE;
		else if (!str_eq_nocase(word, STR("REMOTE")))
			return imap_lexer_bad(lx, "Unknown selection option");
	}
	/* RFC 5258 3.1 */
	if ((out->options & IMAP_LIST_RECURSIVE) &&
	    !(out->options & (IMAP_LIST_SUBSCRIBED | IMAP_LIST_SPECIAL_USE)))
		return imap_lexer_bad(lx, "RECURSIVEMATCH goes with another selection option");
	return imap_lexer_space(lx);
}

static int parse_return(struct imap_lexer *lx, struct imap_list_args *out)
{
	struct str word;
	int r;

	out->options |= IMAP_LIST_EXTENDED;
	if (!imap_lexer_accept_word(lx, "RETURN"))
		return imap_lexer_bad(lx, "Expected RETURN");
	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_expect(lx, '(')) < 0)
		return r;
	for (bool first = true; !imap_lexer_accept(lx, ')'); first = false) {
		if ((!first && (r = imap_lexer_space(lx)) < 0) ||
		    (r = imap_lexer_atom(lx, &word)) < 0)
			return r;
		if (str_eq_nocase(word, STR("SUBSCRIBED"))) {
			out->options |= IMAP_LIST_TELL_SUBSCRIBED;
		} else if (str_eq_nocase(word, STR("STATUS"))) {
			if ((r = imap_lexer_space(lx)) < 0 ||
			    (r = imap_status_items_parse(lx, &out->status)) < 0)
				return r;
		} else if (!str_eq_nocase(word, STR("CHILDREN")) &&
			   !str_eq_nocase(word, STR("SPECIAL-USE"))) {
			/* These two are told in any case. */
			return imap_lexer_bad(lx, "Unknown return option");
		}
	}
	return 0;
}

static int may_suspend parse_pattern(struct imap_lexer *lx, struct str reference,
				     struct imap_list_args *out)
{
	struct str pattern;

	if (out->n == PATTERNS_MAX)
		return imap_lexer_bad(lx, "Too many patterns");
	int r = imap_lexer_list_mailbox(lx, &pattern);
	if (r < 0)
		return r;
	out->ask_root = pattern.n == 0;
	pattern = arena_printf(lx->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(reference),
			       STR_ARG(pattern));
	/* A pattern that is no name in any spelling matches nothing. */
	if (imap_lexer_decode_mailbox(lx, pattern, &out->patterns[out->n]) == 0)
		out->n++;
	return 0;
}

static int may_suspend parse_patterns(struct imap_lexer *lx, bool lists, struct imap_list_args *out)
{
	struct str reference;
	int r;

	out->patterns = ARENA_NEW_ARRAY(lx->arena, struct str, PATTERNS_MAX);
	if ((r = imap_lexer_astring(lx, &reference)) < 0 || (r = imap_lexer_space(lx)) < 0)
		return r;
	if (!lists || !imap_lexer_accept(lx, '('))
		return parse_pattern(lx, reference, out);
	out->options |= IMAP_LIST_EXTENDED;
	do {
		r = parse_pattern(lx, reference, out);
		if (r < 0)
			return r;
	} while (imap_lexer_accept(lx, ' '));
	out->ask_root = false;
	return imap_lexer_expect(lx, ')');
}

int imap_list_args_parse(struct imap_lexer *lx, struct imap_list_args *out)
{
	int r = imap_lexer_space(lx);

	*out = (struct imap_list_args){ 0 };
	if (r == 0 && imap_lexer_accept(lx, '('))
		r = parse_selection(lx, out);
	if (r == 0)
		r = parse_patterns(lx, true, out);
	if (r == 0 && imap_lexer_accept(lx, ' '))
		r = parse_return(lx, out);
	return r < 0 ? r : imap_lexer_end(lx);
}

int imap_lsub_args_parse(struct imap_lexer *lx, struct imap_list_args *out)
{
	int r = imap_lexer_space(lx);

	*out = (struct imap_list_args){ 0 };
	if (r == 0)
		r = parse_patterns(lx, false, out);
	return r < 0 ? r : imap_lexer_end(lx);
}
