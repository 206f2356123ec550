/* ENABLE (RFC 5161). */
#include "imap/condstore.h"
#include "imap/session_state.h"

static const struct {
	const char *name;
	unsigned enables;
} extensions[] = {
	{ "IMAP4rev2", IMAP_ENABLED_REV2 },
	{ "CONDSTORE", IMAP_ENABLED_CONDSTORE },
	{ "QRESYNC", IMAP_ENABLED_QRESYNC },
	{ "UTF8=ACCEPT", IMAP_ENABLED_UTF8 },
};

static unsigned extension_find(const struct imap_session *s, struct str name)
{
	unsigned modseq = IMAP_ENABLED_CONDSTORE | IMAP_ENABLED_QRESYNC;

	for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
		unsigned e = extensions[i].enables;
		if (!str_eq_nocase(name, str_from(extensions[i].name)))
			continue;
		return e & modseq && !store_has_modseq(s->store) ? 0 : e;
	}
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
		wanted |= extension_find(s, name);
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
	/* RFC 7162 3.2.3: QRESYNC implies CONDSTORE. */
	if (wanted & (IMAP_ENABLED_CONDSTORE | IMAP_ENABLED_QRESYNC))
		imap_condstore_enable(s);
	imap_enable(s, wanted);
	return imap_ok(s, "Enabled.");
}
