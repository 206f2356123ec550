#include "smtp/author.h"

#include "base/err.h"
#include "mime/address.h"
#include "smtp/report.h"
#include "smtp/session.h"

/* Nobody writes with more people, and each is looked up. Those of a longer list are not all known,
 * so that it is refused; ends of groups count too. */
#define AUTHORS_MAX 50

static struct str address_of(const struct mime_addr *m, struct arena *a)
{
	return arena_printf(a, "%" STR_FMT "@%" STR_FMT, STR_ARG(m->local), STR_ARG(m->domain));
}

/* The addresses of From. Without one, write_head makes the envelope's sender the author. False when
 * not all of them can be had. */
static bool list_authors(struct smtp_session *s, const struct smtp_head_facts *facts,
			 struct smtp_claim *claim)
{
	const struct mime_addr_limits limits = { AUTHORS_MAX, 65536 };
	struct str *sender = &s->tx->sender.address;
	struct mime_addr_list list;

	*claim = (struct smtp_claim){ .login = s->login };
	if (!facts->from_count) {
		claim->authors = sender;
		claim->count = sender->n > 0;
		return true;
	}
	mime_addr_list_parse(facts->from, limits, &s->tx_arena, &list);
	claim->authors = ARENA_NEW_ARRAY(&s->tx_arena, struct str, list.n);
	for (size_t i = 0; i < list.n; i++)
		if (list.items[i].kind == MIME_ADDR_MAILBOX)
			claim->authors[claim->count++] = address_of(&list.items[i], &s->tx_arena);
	return claim->count && !list.truncated;
}

bool smtp_author_check(struct smtp_session *s, const struct smtp_head_facts *facts,
		       const char **refusal)
{
	struct smtp_claim claim;
	struct str stranger = STR_NONE;
	struct err err = { 0 };

	if (!s->settings->check_header_from || !s->login.n)
		return true;
	*refusal = "550 5.7.1 Error: the message needs one From line with an address";
	if (!list_authors(s, facts, &claim) || facts->from_count > 1)
		return false;
	if (s->svc->backend->find_stranger(s->svc->ctx, &claim, &s->tx_arena, &stranger, &err) <
	    0) {
		smtp_report_trouble(s, &err);
		*refusal = "451 4.3.0 Error: the author cannot be checked now";
		return false;
	}
	if (stranger.n)
		*refusal = arena_printf(&s->tx_arena,
					"550 5.7.1 <%" STR_FMT
					">: From address rejected: not owned by user %" STR_FMT,
					STR_ARG(stranger), STR_ARG(s->login))
				   .p;
	return !stranger.n;
}
