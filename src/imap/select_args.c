#include "imap/select_args.h"

#include "imap/condstore.h"
#include "imap/mailbox_name.h"
#include "imap/seqset.h"
#include "imap/session_state.h"

#define RANGES_MAX 20000

int imap_parse_known_uids(struct imap_session *s, struct store_uids *out)
{
	struct imap_lexer *lx = &s->lexer;
	struct imap_seqset set;
	struct str text;

	int r = imap_lexer_sequence(lx, &text);
	if (r < 0)
		return r;
	/* RFC 7162 section 7: "*" is not allowed here. */
	if (str_find_byte(text, '*') >= 0 ||
	    imap_seqset_parse(text, &s->arena, RANGES_MAX, &set) < 0)
		return imap_lexer_bad(lx, "Invalid set of known messages");
	imap_seqset_resolve(&set, UINT32_MAX - 1);
	*out = (struct store_uids){ 0 };
	for (size_t i = 0; i < set.count; i++)
		store_uids_add_range(&s->arena, out, set.ranges[i].first, set.ranges[i].last);
	return 0;
}

/* (seq-set uid-set): where the numbers were in step when the client left. What was expunged is
 * remembered here, so that this help is not needed. */
static int parse_match_data(struct imap_session *s)
{
	struct store_uids ignored;
	int r;

	if ((r = imap_lexer_expect(&s->lexer, '(')) < 0 ||
	    (r = imap_parse_known_uids(s, &ignored)) < 0 || (r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_parse_known_uids(s, &ignored)) < 0)
		return r;
	return imap_lexer_expect(&s->lexer, ')');
}

/* (uidvalidity modseq [known-uids] [(match data)]) */
static int parse_qresync(struct imap_session *s, struct imap_select_args *out)
{
	struct imap_lexer *lx = &s->lexer;
	int r;

	if (!(s->enabled & IMAP_ENABLED_QRESYNC))
		return imap_lexer_bad(lx, "QRESYNC has to be enabled first");
	out->qresync = true;
	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_expect(lx, '(')) < 0 ||
	    (r = imap_lexer_number(lx, &out->uidvalidity)) < 0 || (r = imap_lexer_space(lx)) < 0 ||
	    (r = imap_lexer_modseq(lx, &out->modseq)) < 0)
		return r;
	while (imap_lexer_accept(lx, ' ')) {
		if (imap_lexer_look(lx) == '(') {
			r = parse_match_data(s);
		} else if (out->has_known) {
			return imap_lexer_bad(lx, "Expected a list in parentheses");
		} else {
			out->has_known = true;
			r = imap_parse_known_uids(s, &out->known);
		}
		if (r < 0)
			return r;
	}
	return imap_lexer_expect(lx, ')');
}

static int parse_parameters(struct imap_session *s, struct imap_select_args *out)
{
	struct imap_lexer *lx = &s->lexer;
	int r = imap_lexer_expect(lx, '(');

	while (r == 0) {
		if (imap_lexer_accept_word(lx, "CONDSTORE"))
			out->condstore = true;
		else if (imap_lexer_accept_word(lx, "QRESYNC"))
			r = parse_qresync(s, out);
		else
			return imap_lexer_bad(lx, "Unknown parameter");
		if (r == 0 && !imap_lexer_accept(lx, ' '))
			return imap_lexer_expect(lx, ')');
	}
	return r;
}

int imap_select_args_parse(struct imap_session *s, struct imap_select_args *out)
{
	struct imap_lexer *lx = &s->lexer;
	int r;

	*out = (struct imap_select_args){ 0 };
	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_mailbox(lx, &out->name)) < 0)
		return r;
	if (store_has_modseq(s->store) && imap_lexer_accept(lx, ' ') &&
	    (r = parse_parameters(s, out)) < 0)
		return r;
	return imap_lexer_end(lx);
}
