/* The names of special uses (RFC 6154 section 2). */
#include "store/store.h"

static const struct {
	const char *name;
	uint32_t attr;
} special_uses[] = {
	{ "\\Drafts", STORE_BOX_DRAFTS },   { "\\Junk", STORE_BOX_JUNK },
	{ "\\Trash", STORE_BOX_TRASH },	    { "\\Sent", STORE_BOX_SENT },
	{ "\\Archive", STORE_BOX_ARCHIVE },
};

uint32_t store_special_use_parse(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(special_uses); i++)
		if (str_eq_nocase(name, str_from(special_uses[i].name)))
			return special_uses[i].attr;
	return 0;
}

const char *store_special_use_name(uint32_t attr)
{
	for (size_t i = 0; i < ARRAY_LEN(special_uses); i++)
		if (special_uses[i].attr == attr)
			return special_uses[i].name;
	return NULL;
}
