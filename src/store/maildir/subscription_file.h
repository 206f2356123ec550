/* The text of `subscriptions`. Version 2 begins with "V\t2" and an empty line and separates
 * levels by tabs; the version before it has plain names with '.'. Names are in modified UTF-7, or
 * in UTF-8. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct arena;

struct subscription_list {
	struct str *v; /* UTF-8, levels separated by '.', each valid and there once */
	size_t n;
	bool version2;
};

/* Everything comes from `a`. Returns the number of lines that were no mailbox name and are left
 * out. */
unsigned subscription_file_parse(struct str text, struct arena *a, struct subscription_list *out);

/* Always version 2. */
void subscription_file_write(struct buf *out, const struct subscription_list *l);
