/* A whole session behind the login. What it answers must be what a client can read: lines, literals
 * of their announced size, strings and lists that are closed. */
#include "imap/session.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/store.h"

#include "scratch_session.h"

/* Where the other account is; one session runs at a time. */
static struct session_place {
	struct store_pool *pool;
	struct str path;
} place;

/* Another user, who lets everybody do everything with the inbox. */
static int open_account(void *ctx, struct str account, struct store **out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct store_acl_change all = {
		.op = STORE_ACL_SET,
		.entry = { .id = STR("anyone"), .rights = STORE_RIGHTS_ALL },
	};
	struct str path = arena_printf(&a, "%" STR_FMT "-other", STR_ARG(place.path));

	(void)ctx;
	if (!str_eq(account, STR("other")))
		return err_set(err, -ENOENT, "no such account");
	int r = store_open(place.pool, path, out, err);
	return r < 0 ? r : store_acl_change(*out, STR("INBOX"), &all, err);
}

/* Little room, so that it runs out. */
static uint64_t quota(void *ctx, struct str account)
{
	(void)ctx;
	return str_eq(account, STR("other")) ? 0 : 5000;
}

static void serve(struct stream *s, struct store_pool *pool, struct str mail_path)
{
	struct imap_session_params p = {
		.stream = s,
		.pool = pool,
		.mail_path = mail_path,
		.limits = IMAP_SESSION_LIMITS,
		.account = STR("me"),
		.mail_dir = STR("/nonexistent"),
		.open_account = open_account,
		.quota = quota,
		.may_unauthenticate = true,
	};

	place = (struct session_place){ pool, mail_path };

	p.limits.append = 20000;
	p.limits.idle_ms = 60000;
	p.limits.errors = 100;
	imap_session_run(&p);
}

/* Read over a quoted string behind its opening quote. */
static void skip_quoted(struct str *rest)
{
	for (;;) {
		check(rest->n && rest->p[0] != '\r' && rest->p[0] != '\n');
		char c = rest->p[0];
		*rest = str_skip(*rest, 1);
		if (c == '"')
			return;
		if (c == '\\') {
			check(rest->n && (rest->p[0] == '"' || rest->p[0] == '\\'));
			*rest = str_skip(*rest, 1);
		}
	}
}

/* At '{': is this the announcement of a literal? Then it is read over. Only a literal8 has NUL. */
static bool skip_literal(struct str *rest, bool binary)
{
	struct str digits, behind;
	uint64_t size;

	if (!str_cut(str_skip(*rest, 1), '}', &digits, &behind) ||
	    str_to_u64(digits, UINT32_MAX, &size) < 0 || !str_starts(behind, STR("\r\n")))
		return false;
	*rest = str_skip(behind, 2);
	check(rest->n >= size);
	check(binary || str_find_byte(str_sub(*rest, 0, (size_t)size), '\0') < 0);
	*rest = str_skip(*rest, (size_t)size);
	return true;
}

/* One untagged response with data, to the end of its last line. */
static void skip_data(struct str *rest)
{
	bool binary = false;
	int depth = 0;

	while (!str_starts(*rest, STR("\r\n"))) {
		check(rest->n);
		char c = rest->p[0];
		check(c != '\0');
		if (c == '{' && skip_literal(rest, binary))
			continue;
		binary = c == '~';
		*rest = str_skip(*rest, 1);
		if (c == '"')
			skip_quoted(rest);
		depth += (c == '(') - (c == ')');
		check(depth >= 0);
	}
	check(depth == 0);
	*rest = str_skip(*rest, 2);
}

static bool is_data(struct str line)
{
	static const struct str conditions[] = { STR_INIT("* OK"), STR_INIT("* NO"),
						 STR_INIT("* BAD"), STR_INIT("* BYE") };

	for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
		if (str_starts(line, conditions[i]))
			return false;
	return str_starts(line, STR("* "));
}

static void check_output(struct str rest)
{
	while (rest.n) {
		if (is_data(rest)) {
			skip_data(&rest);
			continue;
		}
		ssize_t end = str_find(rest, STR("\r\n"));
		check(end >= 0);
		check(str_find_byte(str_sub(rest, 0, (size_t)end), '\0') < 0);
		rest = str_skip(rest, (size_t)end + 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	auto_buf struct buf out;

	if (scratch_session_run(data, n, serve, &out))
		check_output(buf_str(&out));
	return 0;
}
