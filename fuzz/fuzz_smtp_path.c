/* Paths and parameters. What is accepted must survive a second reading unchanged. */
#include <stdint.h>

#include "base/arena.h"
#include "queue/envelope.h"
#include "smtp/params.h"
#include "smtp/path.h"

static void parse_params(struct str text, struct arena *a)
{
	unsigned all = SMTP_EXTENSION_AUTH | SMTP_EXTENSION_DSN | SMTP_EXTENSION_REQUIRETLS;
	struct smtp_mail_params m;
	struct smtp_rcpt_params r;
	if (!smtp_mail_params_parse(text, all, a, &m))
		check(m.envid.n <= SMTP_ENVID_MAX);
	if (!smtp_rcpt_params_parse(text, all, a, &r))
		check(r.orcpt.n <= SMTP_ORCPT_MAX && r.notify <= ENVELOPE_NOTIFY_ALL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str rest = str_of(data, size);
	struct smtp_path path, again;

	if (smtp_path_parse(&rest, &a, &path) == 0) {
		check(rest.n == 0 || rest.p[0] == ' ');
		struct str written = arena_printf(&a, "<%" STR_FMT ">", STR_ARG(path.address));
		check(smtp_path_parse(&written, &a, &again) == 0 && written.n == 0);
		check(str_eq(path.address, again.address));
		check(str_eq(path.local, again.local) && str_eq(path.domain, again.domain));
		if (path.address.n) {
			struct envelope_recipient r = { .address = path.address,
							.original = path.address };
			struct envelope e = { .sender = path.address,
					      .recipients = &r,
					      .recipient_count = 1 };
			check(envelope_check(&e, NULL) == 0);
		}
		if (path.address.n && !path.domain.n)
			smtp_path_qualify(&path, STR("mail.example.org"), &a);
	}
	parse_params(rest, &a);
	return 0;
}
