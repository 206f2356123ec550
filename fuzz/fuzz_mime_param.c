/* Parameters have distinct names, are not longer than their field, and survive RFC 2231. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "mime/param.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Write a parameter in its extended form and read it back. */
static void check_extended(struct arena *a, const struct mime_param *p)
{
	struct mime_disposition again;
	struct buf b;
	buf_init(&b, a, 100 + p->charset.n + p->language.n + 3 * p->value.n);
	buf_puts(&b, "x; n*=\"");
	size_t start = b.n;
	mime_param_write_extended(&b, p);
	check(!buf_failed(&b));
	struct str written = str_skip(buf_str(&b), start);
	if (!str_is_printable(written) || str_find_byte(written, '"') >= 0 ||
	    str_find_byte(written, '\\') >= 0)
		return;
	buf_putc(&b, '"');
	check(mime_disposition_parse(buf_str(&b), a, &again) == 0);
	check(again.params.n == 1);
	check(str_eq(again.params.items[0].value, p->value));
	check(str_eq(again.params.items[0].charset, p->charset));
}

static void check_params(struct arena *a, const struct mime_params *params, size_t size)
{
	check(params->n <= MIME_PARAM_SECTIONS_MAX);
	for (size_t i = 0; i < params->n; i++) {
		const struct mime_param *p = &params->items[i];
		check(p->name.n > 0 && p->name.n + p->value.n <= size);
		check(mime_param_find(params, p->name) == p);
		check_extended(a, p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text = str_of(data, size);
	struct mime_content_type type;
	struct mime_disposition disposition;

	if (mime_content_type_parse(text, &a, &type) == 0)
		check_params(&a, &type.params, size);
	if (mime_disposition_parse(text, &a, &disposition) == 0)
		check_params(&a, &disposition.params, size);
	return 0;
}
