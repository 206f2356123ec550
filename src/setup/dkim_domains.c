#include "setup/dkim_files.h"

#include <stdlib.h>

#include "auth/address.h"
#include "base/buf.h"
#include "setup/setup_file.h"

#define DOMAINS_MAX 10000

struct domains {
	struct str v[DOMAINS_MAX];
	size_t n;
};

static void add_file(struct setup *s, struct str text, char separator, struct domains *d)
{
	struct setup_line line;

	while (setup_line_next(&text, &line)) {
		struct str key = setup_key(line.text, separator);
		ssize_t at = str_rfind_byte(key, '@');
		if (!line.counts || line.indented || at < 0 || (size_t)at + 1 == key.n ||
		    d->n == DOMAINS_MAX)
			continue;
		d->v[d->n++] = address_fold(&s->arena, str_skip(key, (size_t)at + 1));
	}
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

int dkim_domains(struct setup *s, struct str *out, struct err *err)
{
	struct domains *d = ARENA_NEW(&s->arena, struct domains);
	struct str accounts, aliases;
	struct buf b;

	int r = setup_file_read(s, SETUP_ACCOUNTS, &accounts, err);
	if (r == 0)
		r = setup_file_read(s, SETUP_VIRTUAL, &aliases, err);
	if (r < 0)
		return r;
	add_file(s, accounts, '|', d);
	add_file(s, aliases, ' ', d);
	qsort(d->v, d->n, sizeof(d->v[0]), by_name);
	buf_init(&b, &s->arena, SETUP_FILE_MAX);
	for (size_t i = 0; i < d->n; i++) {
		if (i && str_eq(d->v[i], d->v[i - 1]))
			continue;
		if (b.n)
			buf_putc(&b, ',');
		buf_put_str(&b, d->v[i]);
	}
	*out = buf_str(&b);
	return 0;
}
