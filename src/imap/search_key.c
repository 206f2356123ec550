#include "imap/search_key.h"

#include <errno.h>

#include "mime/fold.h"
#include "imap/condstore.h"
#include "imap/lexer_date.h"
#include "imap/session_state.h"
#include "imap/view.h"
#include "mime/charset.h"

#define DEPTH_MAX 50

struct parse {
	struct imap_session *s;
	struct imap_lexer *lx;
	struct str charset;
	bool asks_modseq;
	unsigned keys;
	unsigned depth;
};

static int may_suspend parse_key(struct parse *p, struct imap_search_key **out);

/* What a keyword of the grammar stands for, and how its arguments are read. */
struct search_word {
	const char *name;
	int may_suspend (*parse)(struct parse *p, const struct search_word *w,
				 struct imap_search_key *k);
	enum imap_search_kind kind;
	uint32_t with, without;
	const char *field; /* of FROM, TO... */
};

static int may_suspend parse_text(struct parse *p, struct str *out)
{
	struct str raw;
	struct buf utf8, folded;
	int r;

	if ((r = imap_lexer_space(p->lx)) < 0 || (r = imap_lexer_astring(p->lx, &raw)) < 0)
		return r;
	buf_init(&utf8, &p->s->arena, SIZE_MAX / 2);
	mime_charset_to_utf8(p->charset, raw, &utf8);
	buf_init(&folded, &p->s->arena, SIZE_MAX / 2);
	mime_fold_put(&folded, buf_str(&utf8));
	/* Line ends of what is searched are LF: mime/text.h. */
	size_t n = 0;
	for (size_t i = 0; i < folded.n; i++)
		if (folded.p[i] != '\r')
			folded.p[n++] = folded.p[i];
	*out = str_of(folded.p, n);
	return 0;
}

/* Some header fields need not be read from the message. */
static void set_field(struct imap_search_key *k, struct str name)
{
	static const struct {
		const char *name;
		enum mime_facts_key key;
	} known[] = {
		{ "Subject", MIME_FACTS_SUBJECT }, { "From", MIME_FACTS_FROM },
		{ "To", MIME_FACTS_TO },	   { "Cc", MIME_FACTS_CC },
		{ "Bcc", MIME_FACTS_BCC },	   { "Message-ID", MIME_FACTS_MESSAGE_ID },
	};

	k->field = name;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_nocase(name, str_from(known[i].name)))
			k->facts_key = (int)known[i].key;
	(void)mime_facts_fields_add(&k->fields, name);
}

static int word_plain(struct parse *p, const struct search_word *w, struct imap_search_key *k)
{
	(void)p;
	k->with = w->with;
	k->without = w->without;
	return 0;
}

static int may_suspend word_text(struct parse *p, const struct search_word *w,
				 struct imap_search_key *k)
{
	if (w->field)
		set_field(k, str_from(w->field));
	return parse_text(p, &k->text);
}

static int may_suspend word_header(struct parse *p, const struct search_word *w,
				   struct imap_search_key *k)
{
	int r;

	(void)w;
	struct str name;

	if ((r = imap_lexer_space(p->lx)) < 0 || (r = imap_lexer_astring(p->lx, &name)) < 0)
		return r;
	set_field(k, name);
	return parse_text(p, &k->text);
}

static int word_size(struct parse *p, const struct search_word *w, struct imap_search_key *k)
{
	uint32_t n;
	int r;

	(void)w;
	if ((r = imap_lexer_space(p->lx)) < 0 || (r = imap_lexer_number(p->lx, &n)) < 0)
		return r;
	k->number = n;
	return 0;
}

/* RFC 5032 3: seconds, not none. */
static int word_interval(struct parse *p, const struct search_word *w, struct imap_search_key *k)
{
	int r = word_size(p, w, k);

	return r == 0 && k->number == 0 ? imap_lexer_bad(p->lx, "An interval of no seconds") : r;
}

/* RFC 7162 3.1.5: a message has one mod-sequence, so the metadata named here is read over. */
static int may_suspend word_modseq(struct parse *p, const struct search_word *w,
				   struct imap_search_key *k)
{
	struct str entry, type;
	int r = imap_lexer_space(p->lx);

	(void)w;
	if (!imap_view_has_modseq(p->s))
		return imap_lexer_bad(p->lx, "Unknown search key");
	if (r == 0 && !ascii_is_digit(imap_lexer_look(p->lx))) {
		if ((r = imap_lexer_string(p->lx, &entry)) < 0 ||
		    (r = imap_lexer_space(p->lx)) < 0 || (r = imap_lexer_atom(p->lx, &type)) < 0)
			return r;
		if (!str_eq_nocase(type, STR("all")) && !str_eq_nocase(type, STR("priv")) &&
		    !str_eq_nocase(type, STR("shared")))
			return imap_lexer_bad(p->lx, "Expected all, priv or shared");
		r = imap_lexer_space(p->lx);
	}
	p->asks_modseq = true;
	return r < 0 ? r : imap_lexer_modseq(p->lx, &k->number);
}

/* BEFORE, ON and SINCE differ in which sides of the day are open. */
static int word_date(struct parse *p, const struct search_word *w, struct imap_search_key *k)
{
	int32_t day;
	int r;

	if ((r = imap_lexer_space(p->lx)) < 0 || (r = imap_lexer_date(p->lx, &day)) < 0)
		return r;
	bool before = str_ends(str_from(w->name), STR("BEFORE"));
	bool since = str_ends(str_from(w->name), STR("SINCE"));
	k->from = before ? INT32_MIN : day;
	k->to = before ? day - 1 : since ? INT32_MAX : day;
	return 0;
}

static int word_keyword(struct parse *p, const struct search_word *w, struct imap_search_key *k)
{
	struct str name;
	struct err err;
	int r;

	if ((r = imap_lexer_space(p->lx)) < 0 || (r = imap_lexer_atom(p->lx, &name)) < 0)
		return r;
	int bit = store_view_keyword(p->s->view, name, false, &err);
	k->keyword = bit < 0 ? 0 : UINT64_C(1) << bit;
	/* Here `without` only says that the key is UNKEYWORD. */
	k->without = w->without;
	return 0;
}

/* RFC 8474 4: an object identifier is an atom. */
static int word_object_id(struct parse *p, const struct search_word *w, struct imap_search_key *k)
{
	int r = imap_lexer_space(p->lx);

	(void)w;
	return r < 0 ? r : imap_lexer_atom(p->lx, &k->text);
}

static int word_uid(struct parse *p, const struct search_word *w, struct imap_search_key *k)
{
	int r = imap_lexer_space(p->lx);

	(void)w;
	return r < 0 ? r : imap_view_parse_search_set(p->s, true, &k->seqs);
}

static int may_suspend child(struct parse *p, struct imap_search_key *k)
{
	struct imap_search_key *c;

	int r = imap_lexer_space(p->lx);
	if (r == 0)
		r = parse_key(p, &c);
	if (r < 0)
		return r;
	c->next = k->children;
	k->children = c;
	if (k->cost < c->cost)
		k->cost = c->cost;
	return 0;
}

static int may_suspend word_not(struct parse *p, const struct search_word *w,
				struct imap_search_key *k)
{
	(void)w;
	k->cost = 0;
	return child(p, k);
}

static int may_suspend word_or(struct parse *p, const struct search_word *w,
			       struct imap_search_key *k)
{
	int r = word_not(p, w, k);

	return r < 0 ? r : child(p, k);
}

static const struct search_word search_words[] = {
	{ "ALL", word_plain, IMAP_SEARCH_ALL },
	{ "ANSWERED", word_plain, IMAP_SEARCH_FLAGS, .with = STORE_ANSWERED },
	{ "BCC", word_text, IMAP_SEARCH_HEADER, .field = "Bcc" },
	{ "BEFORE", word_date, IMAP_SEARCH_DATE },
	{ "BODY", word_text, IMAP_SEARCH_BODY },
	{ "CC", word_text, IMAP_SEARCH_HEADER, .field = "Cc" },
	{ "DELETED", word_plain, IMAP_SEARCH_FLAGS, .with = STORE_DELETED },
	{ "DRAFT", word_plain, IMAP_SEARCH_FLAGS, .with = STORE_DRAFT },
	{ "EMAILID", word_object_id, IMAP_SEARCH_EMAILID },
	{ "FLAGGED", word_plain, IMAP_SEARCH_FLAGS, .with = STORE_FLAGGED },
	{ "FROM", word_text, IMAP_SEARCH_HEADER, .field = "From" },
	{ "HEADER", word_header, IMAP_SEARCH_HEADER },
	{ "KEYWORD", word_keyword, IMAP_SEARCH_KEYWORD },
	{ "LARGER", word_size, IMAP_SEARCH_LARGER },
	{ "MODSEQ", word_modseq, IMAP_SEARCH_MODSEQ },
	{ "NEW", word_plain, IMAP_SEARCH_FLAGS, .with = STORE_RECENT, .without = STORE_SEEN },
	{ "NOT", word_not, IMAP_SEARCH_NOT },
	{ "OLD", word_plain, IMAP_SEARCH_FLAGS, .without = STORE_RECENT },
	{ "OLDER", word_interval, IMAP_SEARCH_OLDER },
	{ "ON", word_date, IMAP_SEARCH_DATE },
	{ "OR", word_or, IMAP_SEARCH_OR },
	{ "RECENT", word_plain, IMAP_SEARCH_FLAGS, .with = STORE_RECENT },
	{ "SAVEDATESUPPORTED", word_plain, IMAP_SEARCH_ALL },
	{ "SAVEDBEFORE", word_date, IMAP_SEARCH_SAVED_DATE },
	{ "SAVEDON", word_date, IMAP_SEARCH_SAVED_DATE },
	{ "SAVEDSINCE", word_date, IMAP_SEARCH_SAVED_DATE },
	{ "SEEN", word_plain, IMAP_SEARCH_FLAGS, .with = STORE_SEEN },
	{ "SENTBEFORE", word_date, IMAP_SEARCH_SENT_DATE },
	{ "SENTON", word_date, IMAP_SEARCH_SENT_DATE },
	{ "SENTSINCE", word_date, IMAP_SEARCH_SENT_DATE },
	{ "SINCE", word_date, IMAP_SEARCH_DATE },
	{ "SMALLER", word_size, IMAP_SEARCH_SMALLER },
	{ "SUBJECT", word_text, IMAP_SEARCH_HEADER, .field = "Subject" },
	{ "TEXT", word_text, IMAP_SEARCH_TEXT },
	/* Nothing has a thread: FETCH says so. */
	{ "THREADID", word_object_id, IMAP_SEARCH_NONE },
	{ "TO", word_text, IMAP_SEARCH_HEADER, .field = "To" },
	{ "UID", word_uid, IMAP_SEARCH_SEQS },
	{ "UNANSWERED", word_plain, IMAP_SEARCH_FLAGS, .without = STORE_ANSWERED },
	{ "UNDELETED", word_plain, IMAP_SEARCH_FLAGS, .without = STORE_DELETED },
	{ "UNDRAFT", word_plain, IMAP_SEARCH_FLAGS, .without = STORE_DRAFT },
	{ "UNFLAGGED", word_plain, IMAP_SEARCH_FLAGS, .without = STORE_FLAGGED },
	{ "UNKEYWORD", word_keyword, IMAP_SEARCH_KEYWORD, .without = 1 },
	{ "UNSEEN", word_plain, IMAP_SEARCH_FLAGS, .without = STORE_SEEN },
	{ "YOUNGER", word_interval, IMAP_SEARCH_YOUNGER },
};

static struct imap_search_key *key_new(struct parse *p, enum imap_search_kind kind)
{
	struct imap_search_key *k = ARENA_NEW(&p->s->arena, struct imap_search_key);

	k->kind = kind;
	k->cost = kind;
	k->facts_key = -1;
	return k;
}

/* Keep a conjunction in the order of cost. */
static void insert_by_cost(struct imap_search_key *list, struct imap_search_key *k)
{
	struct imap_search_key **at = &list->children;

	while (*at && (*at)->cost <= k->cost)
		at = &(*at)->next;
	k->next = *at;
	*at = k;
	if (list->cost < k->cost)
		list->cost = k->cost;
}

static int may_suspend parse_conjunction(struct parse *p, struct imap_search_key **out)
{
	struct imap_search_key *list = key_new(p, IMAP_SEARCH_AND), *k;

	list->cost = 0;
	do {
		int r = parse_key(p, &k);
		if (r < 0)
			return r;
		insert_by_cost(list, k);
	} while (imap_lexer_accept(p->lx, ' '));
	*out = list;
	return 0;
}

static int may_suspend parse_word(struct parse *p, struct imap_search_key **out)
{
	struct str word;

	int r = imap_lexer_atom(p->lx, &word);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(search_words); i++) {
		const struct search_word *w = &search_words[i];
		if (!str_eq_nocase(word, str_from(w->name)))
			continue;
		struct imap_search_key *k = key_new(p, w->kind);
		r = w->parse(p, w, k);
		if (r == 0)
			*out = k;
		return r;
	}
	return imap_lexer_bad(p->lx, "Unknown search key");
}

/* A sequence set, whatever the command's own numbers are. */
static int parse_seqs(struct parse *p, struct imap_search_key **out)
{
	struct imap_search_key *k = key_new(p, IMAP_SEARCH_SEQS);
	int r = imap_view_parse_search_set(p->s, false, &k->seqs);
	if (r == 0)
		*out = k;
	return r;
}

static int may_suspend parse_key(struct parse *p, struct imap_search_key **out)
{
	int c = imap_lexer_look(p->lx);
	int r;

	if (++p->keys > IMAP_SEARCH_KEYS_MAX)
		return imap_lexer_bad(p->lx, "Too many search keys");
	if (ascii_is_digit(c) || c == '*' || c == '$')
		return parse_seqs(p, out);
	if (p->depth == DEPTH_MAX)
		return imap_lexer_bad(p->lx, "Search keys too deep in each other");
	p->depth++;
	if (imap_lexer_accept(p->lx, '(')) {
		r = parse_conjunction(p, out);
		if (r == 0)
			r = imap_lexer_expect(p->lx, ')');
	} else {
		r = parse_word(p, out);
	}
	p->depth--;
	return r;
}

/* RFC 9755 3: with UTF8=ACCEPT a search is in UTF-8. */
static int may_suspend parse_charset(struct parse *p)
{
	if (p->s->enabled & IMAP_ENABLED_UTF8)
		return imap_lexer_bad(p->lx, "CHARSET goes not with UTF8=ACCEPT");
	int r = imap_lexer_astring(p->lx, &p->charset);
	return r < 0 ? r : imap_lexer_space(p->lx);
}

static int may_suspend parse_keys(struct parse *p, struct imap_search_key **out)
{
	int r = parse_conjunction(p, out);

	if (r < 0)
		return r;
	(*out)->asks_modseq = p->asks_modseq;
	return imap_lexer_end(p->lx);
}

int imap_search_parse(struct imap_session *s, struct imap_search_key **out)
{
	struct parse p = { .s = s, .lx = &s->lexer, .charset = STR("UTF-8") };
	int r;

	if (imap_lexer_accept_word(p.lx, "CHARSET")) {
		if ((r = imap_lexer_space(p.lx)) < 0 || (r = parse_charset(&p)) < 0)
			return r;
		if (!mime_charset_is_known(p.charset))
			return -ENOTSUP;
	}
	return parse_keys(&p, out);
}

int imap_search_parse_in_charset(struct imap_session *s, struct imap_search_key **out)
{
	struct parse p = { .s = s, .lx = &s->lexer };
	int r;

	if ((r = imap_lexer_astring(p.lx, &p.charset)) < 0 || (r = imap_lexer_space(p.lx)) < 0)
		return r;
	if (!mime_charset_is_known(p.charset))
		return -ENOTSUP;
	return parse_keys(&p, out);
}

/* Nested no deeper than the parser allows. */
struct imap_search_key *imap_search_key_keep(struct imap_session *s,
					     const struct imap_search_key *k, struct arena *a)
{
	struct imap_search_key *copy = ARENA_NEW(a, struct imap_search_key);
	struct imap_search_key **at = &copy->children;

	*copy = *k;
	copy->children = copy->next = NULL;
	copy->found = NULL;
	copy->field = arena_str(a, k->field);
	copy->text = arena_str(a, k->text);
	copy->seqs = (struct imap_seqset){ 0 };
	for (size_t i = 0; i < k->seqs.count; i++)
		for (uint32_t n = k->seqs.ranges[i].first;
		     n <= k->seqs.ranges[i].last && n <= store_view_count(s->view); n++)
			store_uids_add(a, &copy->uids, store_view_uid(s->view, n));
	if (k->kind == IMAP_SEARCH_SEQS)
		copy->kind = IMAP_SEARCH_UIDS;
	for (const struct imap_search_key *c = k->children; c; c = c->next) {
		*at = imap_search_key_keep(s, c, a);
		at = &(*at)->next;
	}
	return copy;
}
