/* Lists have balanced groups and bounded parts; a strict address survives writing and reading. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "mime/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(struct str value, size_t items)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_addr_list l;
	bool in_group = false;

	mime_addr_list_parse(value, (struct mime_addr_limits){ items, 65536 }, &a, &l);
	check(l.n <= items);
	for (size_t i = 0; i < l.n; i++) {
		const struct mime_addr *m = &l.items[i];
		check(m->name.n + m->route.n + m->local.n + m->domain.n <= value.n);
		if (m->kind != MIME_ADDR_MAILBOX) {
			check(in_group == (m->kind == MIME_ADDR_GROUP_END));
			in_group = !in_group;
		}
	}
	check(!in_group);
}

static void check_spec(struct str text)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_addr_spec spec, again;
	if (mime_addr_spec_parse(text, &a, &spec) < 0)
		return;

	struct buf b;
	buf_init(&b, &a, 2 * text.n + 2);
	mime_addr_local_write(&b, spec.local);
	buf_putc(&b, '@');
	buf_put_str(&b, spec.domain);
	check(!buf_failed(&b));
	check(mime_addr_spec_parse(buf_str(&b), &a, &again) == 0);
	check(str_eq(spec.local, again.local) && str_eq(spec.domain, again.domain));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_of(data, size);
	check_list(text, 1000);
	check_list(text, 3);
	check_spec(text);
	return 0;
}
