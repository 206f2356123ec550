/* Every account that is read has a name that is safe as a directory, and is found by it. */
#include <stddef.h>
#include <stdint.h>

#include "auth/accounts.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct accounts t = { 0 };
	struct str value;

	accounts_parse(&t, &a, str_of(data, size), NULL);
	for (const struct account *acc = t.first; acc; acc = acc->next) {
		check(accounts_find(&t, acc->login) == acc);
		check(acc->local.n && acc->domain.n);
		check(str_find_byte(acc->login, '/') < 0);
		(void)account_extra_get(acc, STR("userdb_quota_rule"), &value);
	}
	accounts_done(&t);
	return 0;
}
