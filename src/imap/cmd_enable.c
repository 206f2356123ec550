/* ENABLE (RFC 5161). */
#include "imap/session_state.h"

static const struct {
	const char *name;
	unsigned enables;
} extensions[] = {
	{ "IMAP4rev2", IMAP_ENABLED_REV2 },
	{ "UTF8=ACCEPT", IMAP_ENABLED_UTF8 },
};

static unsigned extension_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
		if (str_eq_nocase(name, str_from(extensions[i].name)))
			return extensions[i].enables;
	return 0;
}

void imap_enable(struct imap_session *s, unsigned what)
{
	s->enabled |= what;
	s->lexer.utf8_names = imap_speaks_utf8(s);
}

/* RFC 5161 3.1: what is not known, or cannot be enabled, is left out of the answer. */
int imap_cmd_enable(struct imap_session *s)
{
	struct imap_lexer *lx = &s->lexer;
	unsigned wanted = 0;
	struct str name;
	int r;

	do {
		if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_atom(lx, &name)) < 0)
			return r;
		wanted |= extension_find(name);
	} while (imap_lexer_look(lx) == ' ');
	if ((r = imap_lexer_end(lx)) < 0)
		return r;

	/* RFC 5161 3.2: only what was not enabled before. */
	unsigned fresh = wanted & ~s->enabled;
	stream_puts(s->stream, "* ENABLED");
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
		if (fresh & extensions[i].enables)
			stream_printf(s->stream, " %s", extensions[i].name);
	stream_puts(s->stream, "\r\n");
	imap_enable(s, wanted);
	return imap_ok(s, "Enabled.");
}
