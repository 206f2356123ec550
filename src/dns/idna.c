#include "dns/idna.h"

#include <errno.h>
#include <idn2.h>

#include "base/arena.h"

/* As people type names: UTS 46 maps them, but for what IDNA 2008 distinguishes, such as sharp s. */
#define FLAGS (IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

#define NAME_MAX_BYTES 1024

int idna_to_ascii(struct str name, struct arena *a, struct str *out)
{
	uint8_t *ascii = NULL;

	if (str_is_ascii(name)) {
		*out = name;
		return 0;
	}
	if (name.n > NAME_MAX_BYTES || str_find_byte(name, '\0') >= 0)
		return -EILSEQ;
	if (idn2_lookup_u8((const uint8_t *)arena_cstr(a, name), &ascii, FLAGS) != IDN2_OK)
		return -EILSEQ;
	*out = arena_str(a, str_from((const char *)ascii));
	idn2_free(ascii);
	return 0;
}

static int to_utf8(struct str name, struct arena *a, struct str *out)
{
	char *utf8 = NULL, *lower = arena_cstr(a, name);

	str_lower_bytes(lower, name.n);
	if (name.n > NAME_MAX_BYTES || idn2_to_unicode_8z8z(lower, &utf8, 0) != IDN2_OK)
		return -EILSEQ;
	*out = arena_str(a, str_from(utf8));
	idn2_free(utf8);
	return 0;
}

/* The local part with its "@", and the domain. */
static void split(struct str address, struct str *local, struct str *domain)
{
	size_t at = (size_t)(str_rfind_byte(address, '@') + 1);

	*local = str_sub(address, 0, at);
	*domain = str_skip(address, at);
}

static struct str join(struct arena *a, struct str local, struct str domain)
{
	return arena_printf(a, "%" STR_FMT "%" STR_FMT, STR_ARG(local), STR_ARG(domain));
}

int idna_address_to_ascii(struct str address, struct arena *a, struct str *out)
{
	struct str local, domain;

	if (str_is_ascii(address)) {
		*out = address;
		return 0;
	}
	split(address, &local, &domain);
	if (!str_is_ascii(local))
		return -EILSEQ;
	int r = idna_to_ascii(domain, a, &domain);
	if (r < 0)
		return r;
	*out = join(a, local, domain);
	return 0;
}

int idna_address_other(struct str address, struct arena *a, struct str *out)
{
	struct str local, domain;
	int r = -ENOENT;

	split(address, &local, &domain);
	if (!str_is_ascii(domain))
		r = idna_to_ascii(domain, a, &domain);
	else if (str_find_nocase(domain, STR("xn--")) >= 0)
		r = to_utf8(domain, a, &domain);
	if (r < 0)
		return -ENOENT;
	*out = join(a, local, domain);
	return 0;
}
