#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/directory.h"
#include "setup/list_file.h"
#include "setup/mail_usage.h"
#include "setup/message.h"
#include "setup/setup_file.h"

/* POSTFIX_MAILBOX_SIZE_LIMIT counts bytes, and docker-mailserver turns them into MiB by
 * dividing by a million: 4096000 is 4 MiB. */
static uint64_t default_quota(void)
{
	uint64_t bytes;
	if (str_to_u64(str_from(getenv("POSTFIX_MAILBOX_SIZE_LIMIT")), INT64_MAX, &bytes) < 0)
		return 0;
	return bytes / 1000000 * 1048576;
}

/* On unless it is set to something else than 1. */
static bool quotas_enabled(void)
{
	struct str value = str_from(getenv("ENABLE_QUOTAS"));
	uint64_t number;
	return value.n == 0 || (str_to_u64(value, UINT64_MAX, &number) == 0 && number == 1);
}

static void print_quota(struct setup *s, const struct directory *d, const struct account *acc)
{
	struct str dir =
		arena_printf(&s->arena, "%" STR_FMT "/%" STR_FMT "/%" STR_FMT, STR_ARG(s->mail_dir),
			     STR_ARG(acc->domain), STR_ARG(acc->local));
	/* Quotas count in KiB. */
	uint64_t used = (mail_usage(dir, &s->arena) + 1023) / 1024;
	uint64_t limit = directory_quota(d, acc) / 1024;

	printf(" ( %s / %s ) [%u%%]", mail_usage_format(used * 1024, &s->arena),
	       limit ? mail_usage_format(limit * 1024, &s->arena) : "~",
	       limit ? (unsigned)(used * 100 / limit) : 0);
}

static bool leads_to(const struct alias *alias, struct str login)
{
	for (size_t i = 0; i < alias->count; i++)
		if (str_eq_nocase(alias->targets[i], login))
			return true;
	return false;
}

static void print_aliases(const struct directory *d, const struct account *acc)
{
	bool any = false;
	for (const struct alias *a = d->virtual->first; a; a = a->next) {
		if (!leads_to(a, acc->login))
			continue;
		printf("%s%" STR_FMT, any ? ", " : "\n    [ aliases -> ", STR_ARG(a->key));
		any = true;
	}
	if (any)
		printf(" ]");
}

enum setup_exit cmd_email_list(struct setup *s)
{
	struct directory_config config = {
		.dir = s->config_dir.p,
		.fqdn = STR("localhost"),
		.domain = STR("localhost"),
		.quotas = quotas_enabled(),
		.default_quota = default_quota(),
	};

	if (str_eq(str_from(getenv("ACCOUNT_PROVISIONER")), STR("LDAP")))
		return message_fail(
			s, "This command is only compatible with 'ACCOUNT_PROVISIONER=FILE'");
	if (list_file_check(s, SETUP_ACCOUNTS) != SETUP_OK)
		return SETUP_ERROR;

	struct directory *d = directory_load(&config, NULL, NULL);
	for (const struct account *acc = d->accounts->first; acc; acc = acc->next) {
		printf("* %" STR_FMT, STR_ARG(acc->login));
		if (d->quotas_enabled)
			print_quota(s, d, acc);
		print_aliases(d, acc);
		printf("\n\n");
	}
	directory_free(d);
	return SETUP_OK;
}
