/* Whatever a client answers, the exchange ends with credentials that hold no NUL, or with none. */
#include <stddef.h>
#include <stdint.h>

#include "auth/sasl.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the mechanism and whether there is an initial response; lines follow. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	if (size == 0)
		return 0;

	struct sasl_exchange x = { .mech = data[0] & 1 ? SASL_LOGIN : SASL_PLAIN };
	struct str rest = str_of(data + 1, size - 1), line = STR_NONE, challenge;
	if (data[0] & 2)
		str_next_line(&rest, &line);
	enum sasl_step step = sasl_start(&x, &a, line, &challenge);
	for (unsigned rounds = 0; step == SASL_CONTINUE && str_next_line(&rest, &line); rounds++) {
		check(rounds < 3);
		step = sasl_next(&x, line, &challenge);
	}
	if (step == SASL_DONE) {
		check(x.credentials.user.n && x.credentials.password.n);
		check(str_find_byte(x.credentials.user, '\0') < 0);
		check(str_find_byte(x.credentials.password, '\0') < 0);
	}
	return 0;
}
