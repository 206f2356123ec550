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

int idna_address_to_ascii(struct str address, struct arena *a, struct str *out)
{
	size_t at = (size_t)(str_rfind_byte(address, '@') + 1);
	struct str local = str_sub(address, 0, at), domain;

	if (str_is_ascii(address)) {
		*out = address;
		return 0;
	}
	if (!str_is_ascii(local))
		return -EILSEQ;
	int r = idna_to_ascii(str_skip(address, at), a, &domain);
	if (r < 0)
		return r;
	*out = arena_printf(a, "%" STR_FMT "%" STR_FMT, STR_ARG(local), STR_ARG(domain));
	return 0;
}
