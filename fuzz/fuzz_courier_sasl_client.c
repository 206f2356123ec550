/* Challenges, one a line, for every mechanism: nobody proves a password by chance. */
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include "base/check.h"
#include "courier/sasl_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned m = COURIER_AUTH_PLAIN; m <= COURIER_AUTH_XOAUTH2; m <<= 1) {
		struct sasl_client x = { .mechanism = m,
					 .user = STR("user"),
					 .password = STR("pencil"),
					 .binding_type = "tls-exporter",
					 .binding = STR("binding") };
		int r = 0;

		snprintf(x.nonce, sizeof(x.nonce), "nonce");
		STR_FOREACH_LINE (str_of(data, size), line) {
			auto_buf struct buf out;
			buf_init(&out, NULL, SASL_CLIENT_MESSAGE_MAX);
			/* Hashing for long finds nothing. */
			if (r == 0 && str_find(line, STR("i=1000")) < 0)
				r = sasl_client_step(&x, line, &out);
		}
		check(!x.server_proven);
		sasl_client_done(&x);
	}
	return 0;
}
