/* AUTHENTICATE (RFC 3501 6.2.2) with initial responses (RFC 4959): PLAIN and LOGIN. */
#include <errno.h>

#include "core/stream.h"
#include "imap/login.h"
#include "imap/login_session.h"
#include "imap/sasl.h"

/* One response of the client; the first may stand on the command line already (`initial`). A "*"
 * gives -EBADMSG, as RFC 3501 6.2.2 wants it. */
static int may_suspend response(struct imap_login *l, struct str *initial, const char *challenge,
				struct str *out)
{
	struct imap_feed *feed = l->lexer.feed;
	struct str text = *initial;

	if (text.p) {
		*initial = STR_NONE;
	} else {
		stream_printf(l->stream, "+ %s\r\n", challenge);
		int r = feed->line(feed, &l->arena, IMAP_SASL_MAX, &text);
		if (r == -EMSGSIZE)
			return imap_lexer_bad(&l->lexer, "SASL response too long");
		if (r < 0)
			return r;
		if (str_eq(text, STR("*")))
			return imap_lexer_bad(&l->lexer, "Authentication cancelled");
	}
	if (imap_sasl_decode(text, &l->arena, out) < 0)
		return imap_lexer_bad(&l->lexer, "Invalid base64 in a SASL response");
	return 0;
}

static int may_suspend mech_plain(struct imap_login *l, struct str initial)
{
	struct imap_credentials c = { .method = "PLAIN" };
	struct str message;

	int r = response(l, &initial, "", &message);
	if (r < 0)
		return r;
	if (imap_sasl_parse_plain(message, &c) < 0)
		return imap_lexer_bad(&l->lexer, "Invalid PLAIN message");
	return imap_login_finish(l, &c);
}

static int may_suspend mech_login(struct imap_login *l, struct str initial)
{
	struct imap_credentials c = { .method = "LOGIN" };

	int r = response(l, &initial, "VXNlcm5hbWU6", &c.user); /* "Username:" */
	if (r < 0)
		return r;
	r = response(l, &initial, "UGFzc3dvcmQ6", &c.password); /* "Password:" */
	if (r < 0)
		return r;
	if (str_find_byte(c.user, '\0') >= 0 || str_find_byte(c.password, '\0') >= 0)
		return imap_lexer_bad(&l->lexer, "NUL in a SASL response");
	return imap_login_finish(l, &c);
}

static const struct {
	const char *name;
	int may_suspend (*run)(struct imap_login *l, struct str initial);
} mechanisms[] = {
	{ "PLAIN", mech_plain },
	{ "LOGIN", mech_login },
};

int imap_login_cmd_authenticate(struct imap_login *l)
{
	struct imap_lexer *lx = &l->lexer;
	struct str name, initial = STR_NONE;
	int r;

	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_atom(lx, &name)) < 0)
		return r;
	if (imap_lexer_accept(lx, ' ')) {
		/* Base64 and "=" are astring characters. */
		if (imap_lexer_look(lx) == '{' || imap_lexer_look(lx) == '"')
			return imap_lexer_bad(lx, "Invalid base64 in a SASL response");
		if ((r = imap_lexer_astring(lx, &initial)) < 0)
			return r;
	}
	if ((r = imap_lexer_end(lx)) < 0)
		return r;
	if (!imap_login_allowed(l))
		return imap_login_reply(l, IMAP_LOGIN_NEEDS_TLS);
	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
		if (str_eq_nocase(name, str_from(mechanisms[i].name)))
			return mechanisms[i].run(l, initial);
	return imap_login_reply(l, "NO Unsupported authentication mechanism.");
}
