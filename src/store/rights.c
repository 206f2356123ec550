/* Rights on mailboxes (RFC 4314 section 2): letters, and who has which. */
#include "base/buf.h"
#include "store/store.h"

static const char letters[] = "lrwstipekxa"; /* by the bits of enum store_right */

bool store_rights_parse(struct str text, uint32_t *out)
{
	uint32_t rights = 0;

	for (size_t i = 0; i < text.n; i++) {
		const char *at = memchr(letters, text.p[i], sizeof(letters) - 1);
		/* RFC 4314 2.1.1: rights of RFC 2086 that became several. */
		if (text.p[i] == 'c')
			rights |= STORE_RIGHT_CREATE | STORE_RIGHT_DELETE;
		else if (text.p[i] == 'd')
			rights |= STORE_RIGHT_DELETED | STORE_RIGHT_EXPUNGE | STORE_RIGHT_DELETE;
		else if (at)
			rights |= 1u << (at - letters);
		else
			return false;
	}
	*out = rights;
	return true;
}

void store_rights_write(struct buf *out, uint32_t rights)
{
	for (size_t i = 0; i + 1 < sizeof(letters); i++)
		if (rights & 1u << i)
			buf_putc(out, letters[i]);
}

/* How particular an identifier is about a user: 0: it is about others. */
static unsigned specificity(struct str id, struct str user)
{
	if (str_eq(id, STR("anyone")))
		return 1;
	if (str_eq(id, STR("authenticated")))
		return 2;
	return str_starts(id, STR("user=")) && str_eq_nocase(str_skip(id, 5), user) ? 3 : 0;
}

uint32_t store_acl_rights(const struct store_acl *acl, struct str user)
{
	uint32_t rights = 0, taken = 0;
	unsigned best = 0;

	for (size_t i = 0; i < acl->n; i++) {
		unsigned s = specificity(acl->v[i].id, user);
		if (s && acl->v[i].negative)
			taken |= acl->v[i].rights;
		if (s <= best || acl->v[i].negative)
			continue;
		best = s;
		rights = acl->v[i].rights;
	}
	return rights & ~taken;
}
