#include "imap/notify_args.h"

#include "base/arena.h"
#include "imap/fetch_items.h"
#include "imap/lexer.h"
#include "imap/mailbox_name.h"

#define GROUPS_MAX 50
#define NAMES_MAX  500

static const struct {
	const char *name;
	enum imap_notify_filter filter;
} filters[] = {
	{ "selected", IMAP_NOTIFY_SELECTED },
	{ "selected-delayed", IMAP_NOTIFY_SELECTED_DELAYED },
	{ "inboxes", IMAP_NOTIFY_INBOXES },
	{ "personal", IMAP_NOTIFY_PERSONAL },
	{ "subscribed", IMAP_NOTIFY_SUBSCRIBED },
	{ "subtree", IMAP_NOTIFY_SUBTREE },
	{ "mailboxes", IMAP_NOTIFY_MAILBOXES },
};

static const struct {
	const char *name;
	unsigned event;
} events[] = {
	{ "MessageNew", IMAP_NOTIFY_NEW },
	{ "MessageExpunge", IMAP_NOTIFY_EXPUNGE },
	{ "FlagChange", IMAP_NOTIFY_FLAGS },
	{ "MailboxName", IMAP_NOTIFY_NAME },
	{ "SubscriptionChange", IMAP_NOTIFY_SUBSCRIPTION },
};

static bool is_of_selected(const struct imap_notify_group *g)
{
	return g->filter == IMAP_NOTIFY_SELECTED || g->filter == IMAP_NOTIFY_SELECTED_DELAYED;
}

static int may_suspend parse_names(struct imap_lexer *lx, struct imap_notify_group *g)
{
	int r = imap_lexer_space(lx);

	if (r < 0)
		return r;
	g->names = ARENA_NEW_ARRAY(lx->arena, struct str, NAMES_MAX);
	bool list = imap_lexer_accept(lx, '(');
	do {
		if (g->n == NAMES_MAX)
			return imap_lexer_bad(lx, "Too many mailboxes");
		if ((r = imap_lexer_mailbox(lx, &g->names[g->n])) < 0)
			return r;
		if (str_eq_nocase(g->names[g->n], STR("INBOX")))
			g->names[g->n] = STR("INBOX");
		g->n++;
	} while (list && imap_lexer_accept(lx, ' '));
	return list ? imap_lexer_expect(lx, ')') : 0;
}

static int may_suspend parse_filter(struct imap_lexer *lx, struct imap_notify_group *g)
{
	struct str word;

	int r = imap_lexer_atom(lx, &word);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		if (!str_eq_nocase(word, str_from(filters[i].name)))
			continue;
		g->filter = filters[i].filter;
		bool names = g->filter == IMAP_NOTIFY_SUBTREE || g->filter == IMAP_NOTIFY_MAILBOXES;
		return names ? parse_names(lx, g) : 0;
	}
	return imap_lexer_bad(lx, "Unknown filter of mailboxes");
}

/* " (UID BODY.PEEK[])" behind MessageNew, kept as a text: it is parsed again for each message. */
static int may_suspend parse_fetch(struct imap_lexer *lx, struct imap_notify_group *g)
{
	struct imap_fetch_items items;

	if (!str_starts(str_skip(lx->line, lx->pos), STR(" (")))
		return 0;
	if (!is_of_selected(g))
		return imap_lexer_bad(lx, "Only of the selected mailbox messages are fetched");
	size_t from = ++lx->pos;
	const char *line = lx->line.p;
	int r = imap_fetch_items_parse(lx, &items);
	if (r < 0)
		return r;
	if (lx->line.p != line)
		return imap_lexer_bad(lx, "A literal cannot be here");
	g->fetch = str_sub(lx->line, from, lx->pos - from);
	return 0;
}

static int may_suspend parse_event(struct imap_lexer *lx, struct imap_notify_group *g)
{
	struct str word;

	int r = imap_lexer_atom(lx, &word);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (str_eq_nocase(word, str_from(events[i].name))) {
			g->events |= events[i].event;
			return events[i].event == IMAP_NOTIFY_NEW ? parse_fetch(lx, g) : 0;
		}
	g->events |= IMAP_NOTIFY_UNKNOWN;
	return 0;
}

static int may_suspend parse_events(struct imap_lexer *lx, struct imap_notify_group *g)
{
	unsigned both = IMAP_NOTIFY_NEW | IMAP_NOTIFY_EXPUNGE;

	if (imap_lexer_accept_word(lx, "NONE"))
		return 0;
	int r = imap_lexer_expect(lx, '(');
	if (r < 0)
		return r;
	do {
		r = parse_event(lx, g);
		if (r < 0)
			return r;
	} while (imap_lexer_accept(lx, ' '));
	/* RFC 5465 5: these two go together, and FlagChange only with them. */
	if ((g->events & IMAP_NOTIFY_MESSAGES) && (g->events & both) != both)
		return imap_lexer_bad(lx, "MessageNew and MessageExpunge go together");
	return imap_lexer_expect(lx, ')');
}

static int may_suspend parse_group(struct imap_lexer *lx, struct imap_notify_args *out)
{
	struct imap_notify_group *g = &out->groups[out->n];
	int r;

	if ((r = imap_lexer_expect(lx, '(')) < 0 || (r = parse_filter(lx, g)) < 0 ||
	    (r = imap_lexer_space(lx)) < 0 || (r = parse_events(lx, g)) < 0 ||
	    (r = imap_lexer_expect(lx, ')')) < 0)
		return r;
	for (size_t i = 0; i < out->n && is_of_selected(g); i++)
		if (is_of_selected(&out->groups[i]))
			return imap_lexer_bad(lx, "Two groups are of the selected mailbox");
	out->n++;
	return 0;
}

int imap_notify_args_parse(struct imap_lexer *lx, struct imap_notify_args *out)
{
	int r = imap_lexer_space(lx);

	*out = (struct imap_notify_args){ 0 };
	if (r < 0)
		return r;
	if (imap_lexer_accept_word(lx, "NONE")) {
		out->none = true;
		return imap_lexer_end(lx);
	}
	if (!imap_lexer_accept_word(lx, "SET"))
		return imap_lexer_bad(lx, "Expected SET or NONE");
	if ((r = imap_lexer_space(lx)) < 0)
		return r;
	if (imap_lexer_accept_word(lx, "STATUS")) {
		out->status = true;
		if ((r = imap_lexer_space(lx)) < 0)
			return r;
	}
	out->groups = ARENA_NEW_ARRAY(lx->arena, struct imap_notify_group, GROUPS_MAX);
	do {
		if (out->n == GROUPS_MAX)
			return imap_lexer_bad(lx, "Too many groups of events");
		if ((r = parse_group(lx, out)) < 0)
			return r;
	} while (imap_lexer_accept(lx, ' '));
	return imap_lexer_end(lx);
}
