/* A whole session behind the login: it answers in lines, and ends each of them. */
#include "pop3/session.h"

#include "scratch_session.h"

static void serve(struct stream *s, struct store_pool *pool, struct str mail_path)
{
	struct pop3_session_params p = {
		.stream = s, .pool = pool, .mail_path = mail_path, .idle_ms = 60000
	};

	pop3_session_run(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	auto_buf struct buf out;

	if (scratch_session_run(data, n, serve, &out)) {
		check(str_starts(buf_str(&out), STR("+OK")));
		check(str_ends(buf_str(&out), STR("\r\n")));
	}
	return 0;
}
