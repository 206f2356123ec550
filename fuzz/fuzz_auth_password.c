/* Decoding a stored value and verifying the cheap schemes; values of costly ones are only
 * parsed. */
#include <stddef.h>
#include <stdint.h>

#include "auth/password.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_costly(struct str stored)
{
	return str_find(stored, STR("$")) >= 0 || str_find_nocase(stored, STR("CRYPT")) >= 0 ||
	       str_find_nocase(stored, STR("SCRAM")) >= 0 || !str_starts(stored, STR("{"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str stored, password;

	str_cut(str_of(data, size), '\n', &stored, &password);
	int checked = password_check_stored(stored, NULL);
	if (!is_costly(stored) && password_verify(stored, password, NULL) == 0)
		check(checked == 0);
	return 0;
}
