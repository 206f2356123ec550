#include "courier/capabilities.h"

#include <stddef.h>

struct word {
	struct str name;
	unsigned flag;
};

static const struct word extensions[] = {
	{ STR_INIT("PIPELINING"), COURIER_PIPELINING },
	{ STR_INIT("CHUNKING"), COURIER_CHUNKING },
	{ STR_INIT("BINARYMIME"), COURIER_BINARYMIME },
	{ STR_INIT("8BITMIME"), COURIER_8BITMIME },
	{ STR_INIT("SMTPUTF8"), COURIER_SMTPUTF8 },
	{ STR_INIT("DSN"), COURIER_DSN },
	{ STR_INIT("STARTTLS"), COURIER_STARTTLS },
	{ STR_INIT("REQUIRETLS"), COURIER_REQUIRETLS },
	{ STR_INIT("SIZE"), COURIER_SIZE },
	{ STR_INIT("AUTH"), COURIER_AUTH },
	{ STR_INIT("MT-PRIORITY"), COURIER_PRIORITY },
};

static const struct word mechanisms[] = {
	{ STR_INIT("PLAIN"), COURIER_AUTH_PLAIN },
	{ STR_INIT("LOGIN"), COURIER_AUTH_LOGIN },
	{ STR_INIT("CRAM-MD5"), COURIER_AUTH_CRAM_MD5 },
	{ STR_INIT("SCRAM-SHA-256"), COURIER_AUTH_SCRAM_SHA_256 },
	{ STR_INIT("SCRAM-SHA-256-PLUS"), COURIER_AUTH_SCRAM_SHA_256_PLUS },
	{ STR_INIT("XOAUTH2"), COURIER_AUTH_XOAUTH2 },
};

static unsigned find_word(const struct word *words, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(words[i].name, name))
			return words[i].flag;
	return 0;
}

/* RFC 9422 4: "RCPTMAX=1000 MAILMAX=20". A limit of 0 would be no service at all. */
static void add_limits(struct courier_capabilities *c, struct str rest)
{
	struct str word, name, value;
	uint64_t n;

	while (str_next_word(&rest, &word)) {
		if (!str_cut(word, '=', &name, &value) || str_to_u64(value, UINT32_MAX, &n) < 0)
			continue;
		if (str_eq_nocase(name, STR("MAILMAX")))
			c->mail_max = n;
		else if (str_eq_nocase(name, STR("RCPTMAX")))
			c->rcpt_max = n;
	}
}

void courier_capabilities_add(struct courier_capabilities *c, struct str line)
{
	struct str rest = line, name, value;

	if (!str_next_word(&rest, &name))
		return;
	/* "AUTH=LOGIN" is how servers said it before there was an RFC. */
	if (str_starts_nocase(name, STR("AUTH="))) {
		rest = str_skip(line, (size_t)(name.p - line.p) + 5);
		name = STR("AUTH");
	}
	unsigned flag = find_word(extensions, ARRAY_LEN(extensions), name);
	c->extensions |= flag;
	if (flag == COURIER_SIZE && str_next_word(&rest, &value) &&
	    str_to_u64(value, UINT64_MAX, &c->size) < 0)
		c->size = 0;
	while (flag == COURIER_AUTH && str_next_word(&rest, &value))
		c->mechanisms |= find_word(mechanisms, ARRAY_LEN(mechanisms), value);
	if (str_eq_nocase(name, STR("LIMITS")))
		add_limits(c, rest);
}
