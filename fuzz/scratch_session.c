#include "scratch_session.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/stream.h"
#include "core/work.h"
#include "scratch_dir.h"
#include "store/store.h"

#define INPUT_MAX  60000
#define OUTPUT_MAX ((size_t)32 << 20)

struct scratch {
	struct scratch_dir dir;
	char path[96], index[96];
	struct store_pool *pool;
	struct stream *client, *server;
	scratch_serve_fn *serve;
	struct str input;
	struct buf *out;
};

static const char *const messages[] = {
	"Date: Tue, 02 Jan 2024 10:00:00 +0100\r\nFrom: A <a@example.org>\r\nTo: b@example.org\r\n"
	"Subject: one\r\nMessage-ID: <1@example.org>\r\n\r\nline 1\r\n.\r\nline 3\r\n",

	"From: \"C \\\"d\\\"\" <c@example.org>, g: a@x, b@y;\r\n"
	"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
	"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
	"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
	"Content-Transfer-Encoding: quoted-printable\r\n"
	"Content-Disposition: inline; filename*=utf-8''%e2%82%ac\r\n\r\nM=FCnchen\r\n"
	"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner body\r\n"
	"--b--\r\n",

	"Subject: three\r\nTo: (\r\n",
};

static void add_message(struct store *store, const char *text, uint32_t flags)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str keywords[] = { STR("$Label1"), STR("work") };
	struct store_append_meta meta = { .mark = { flags, keywords, flags ? 2 : 0 },
					  .date = 1700000000 };
	struct store_append_args args = { .a = &a };
	struct store_appended done;
	struct store_append *ap;
	struct err err;

	if (store_append_begin(store, STR("INBOX"), &ap, &err) < 0)
		return;
	if (store_append_message(ap, &meta, &err) < 0 ||
	    store_append_write(ap, str_from(text), &err) < 0)
		store_append_abort(ap);
	else
		(void)!store_append_finish(ap, &args, &done, &err);
}

static bool make_account(struct scratch *s)
{
	struct store *store;
	struct err err;

	if (!scratch_dir_make(&s->dir))
		return false;
	snprintf(s->path, sizeof(s->path), "%s/user", s->dir.path);
	snprintf(s->index, sizeof(s->index), "%s/index", s->dir.path);
	s->pool = store_pool_new(
		&(struct store_settings){ .host = STR("host"), .index_root = str_from(s->index) });
	if (store_open(s->pool, str_from(s->path), &store, &err) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		add_message(store, messages[i], i % 2 ? STORE_SEEN | STORE_DELETED : 0);
	store_close(store);
	return true;
}

static void server_main(void *arg)
{
	struct scratch *s = arg;

	s->serve(s->server, s->pool, str_from(s->path));
	stream_free(s->server);
}

static void writer_main(void *arg)
{
	struct scratch *s = arg;

	stream_write(s->client, s->input);
	if (stream_flush(s->client) == 0)
		(void)shutdown(stream_io(s->client)->fd, SHUT_WR);
}

static void reader_main(void *arg)
{
	struct scratch *s = arg;

	while (stream_fill(s->client, OUTPUT_MAX) > 0) {
		struct str piece = stream_peek(s->client);
		buf_put_str(s->out, piece);
		stream_consume(s->client, piece.n);
	}
}

static void run(struct scratch *s)
{
	struct group g;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return;
	loop_init(LOOP_CLOCK_VIRTUAL);
	work_init(1);
	s->server = stream_new(fds[0]);
	s->client = stream_new(fds[1]);
	group_init(&g);
	check(fiber_spawn(&g, "server", server_main, s) == 0);
	check(fiber_spawn(&g, "writer", writer_main, s) == 0);
	check(fiber_spawn(&g, "reader", reader_main, s) == 0);
	loop_run();
	stream_free(s->client);
	work_done();
	loop_done();
}

bool scratch_session_run(const uint8_t *data, size_t n, scratch_serve_fn *serve, struct buf *out)
{
	struct scratch s = { .serve = serve, .input = str_of((const char *)data, n), .out = out };

	buf_init(out, NULL, OUTPUT_MAX);
	if (n > INPUT_MAX)
		return false;
	bool made = make_account(&s);
	if (made)
		run(&s);
	store_pool_free(s.pool);
	scratch_dir_remove(&s.dir);
	return made;
}
