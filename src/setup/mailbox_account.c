#include "setup/mailbox_account.h"

#include <stdio.h>
#include <sys/stat.h>

#include "auth/address.h"
#include "base/err.h"
#include "setup/message.h"

static void report(void *ctx, enum store_report kind, const char *account, const char *dir,
		   const char *what)
{
	struct mailbox_account *m = ctx;

	m->findings++;
	message(m->setup, kind == STORE_REPAIRED ? MESSAGE_WARN : MESSAGE_ERROR, "%s/%s: %s",
		account, dir, what);
}

static bool is_component(struct str s)
{
	return s.n > 0 && s.n < 256 && s.p[0] != '.' && str_find_byte(s, '/') < 0;
}

enum setup_exit mailbox_account_open(struct setup *s, struct mailbox_account *out)
{
	struct str asked = setup_arg(s, 0);
	ssize_t at = str_rfind_byte(asked, '@');
	struct stat st;
	struct err err;

	*out = (struct mailbox_account){ .setup = s };
	if (at < 0)
		return message_fail_usage(
			s, "'%s' should include the domain (eg: user@example.com)", asked.p);
	out->address = address_fold(&s->arena, asked);
	struct str local = str_sub(out->address, 0, (size_t)at);
	struct str domain = str_skip(out->address, (size_t)at + 1);
	if (!is_component(local) || !is_component(domain))
		return message_fail(s, "'%s' cannot be the name of an account", asked.p);
	struct str path = arena_printf(&s->arena, "%" STR_FMT "/%" STR_FMT "/%" STR_FMT,
				       STR_ARG(s->mail_dir), STR_ARG(domain), STR_ARG(local));
	if (stat(path.p, &st) < 0)
		return message_fail(s, "'%s' has no mail here (%s does not exist)", out->address.p,
				    path.p);
	out->pool = store_pool_new(&(struct store_settings){
		.index_root = s->index_dir,
		.report = report,
		.report_ctx = out,
	});
	out->path = path;
	if (store_open(out->pool, path, &out->store, &err) < 0) {
		store_pool_free(out->pool);
		return message_fail(s, "%s", err.text);
	}
	return SETUP_OK;
}

void mailbox_account_close(struct mailbox_account *m)
{
	while (store_pool_settle(m->pool))
		;
	store_close(m->store);
	store_pool_free(m->pool);
}

enum setup_exit mailbox_account_names(struct mailbox_account *m, unsigned i,
				      struct store_box_list *out)
{
	struct setup *s = m->setup;
	struct err err;

	if (setup_arg(s, i).n) {
		out->v = ARENA_NEW(&s->arena, struct store_box_entry);
		out->n = 1;
		out->v->name = setup_arg(s, i);
		out->v->attrs = STORE_BOX_EXISTS;
		if (store_box_check(m->store, out->v->name, &err) < 0)
			return message_fail(s, "'%s' of '%s': %s", out->v->name.p, m->address.p,
					    err.text);
		return SETUP_OK;
	}
	if (store_box_list(m->store, &s->arena, out, &err) < 0)
		return message_fail(s, "%s", err.text);
	size_t n = 0;
	for (size_t k = 0; k < out->n; k++)
		if (out->v[k].attrs & STORE_BOX_EXISTS)
			out->v[n++] = out->v[k];
	out->n = n;
	return SETUP_OK;
}
