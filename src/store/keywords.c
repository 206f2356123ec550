#include "store/keywords.h"

int keyword_table_find(const struct keyword_table *t, struct str name)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->names[i].n && str_eq_nocase(t->names[i], name))
			return (int)i;
	return -1;
}

int keyword_table_free_bit(const struct keyword_table *t)
{
	return t->n < STORE_KEYWORDS_MAX ? (int)t->n : -1;
}
