#include "fixture.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "core/self_signed.h"
#include "core/stream.h"
#include "core/tls.h"

static char dir[64], paths[4][96]; /* cert, key of "one.example"; cert, key of "two.example" */

static int make_certificates(void **state)
{
	static const char *const names[] = { "one.example", "two.example" };
	(void)state;

	snprintf(dir, sizeof(dir), "/tmp/posthorn-tls-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	for (int i = 0; i < 2; i++) {
		snprintf(paths[2 * i], sizeof(paths[0]), "%s/%d.cert", dir, i);
		snprintf(paths[2 * i + 1], sizeof(paths[0]), "%s/%d.key", dir, i);
		if (self_signed_make(names[i], paths[2 * i], paths[2 * i + 1], NULL) < 0)
			return -1;
	}
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		unlink(paths[i]);
	return rmdir(dir);
}

static struct tls_context *context_with_both(void)
{
	struct tls_files files = {
		.cert = paths[0], .key = paths[1], .alt_cert = paths[2], .alt_key = paths[3]
	};
	struct tls_context *ctx = NULL;
	struct err err;

	if (tls_context_new(&files, TLS_LEVEL_MODERN, &ctx, &err) < 0)
		fail_msg("%s", err.text);
	return ctx;
}

struct client {
	int fd;
	const char *name;  /* SNI */
	const char *plain; /* sent before the handshake */
	int version;	   /* the highest it offers */
	char subject[64];  /* of the certificate it saw */
	char echo[16];
	bool ended; /* with close_notify */
};

static void *client_main(void *arg)
{
	struct client *c = arg;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);

	if (c->plain && write(c->fd, c->plain, strlen(c->plain)) < 0)
		abort();
	SSL_set_max_proto_version(ssl, c->version);
	SSL_set_tlsext_host_name(ssl, c->name);
	SSL_set_fd(ssl, c->fd);
	if (SSL_connect(ssl) == 1) {
		X509_NAME *subject = X509_get_subject_name(SSL_get0_peer_certificate(ssl));
		X509_NAME_get_text_by_NID(subject, NID_commonName, c->subject, sizeof(c->subject));
		SSL_write(ssl, "ping\n", 5);
		SSL_read(ssl, c->echo, sizeof(c->echo) - 1);
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(c->fd);
	return NULL;
}

struct server {
	struct stream *s;
	struct tls_context *ctx;
	int result;
	struct tls_info info;
	char line[32];
};

static void serve(void *arg)
{
	struct server *srv = arg;
	struct str line;
	struct err err;

	stream_set_idle(srv->s, 5000);
	srv->result = tls_accept(srv->s, srv->ctx, &err);
	tls_context_unref(srv->ctx);
	if (srv->result == 0 && tls_get_info(srv->s, &srv->info) &&
	    stream_read_line(srv->s, 30, &line) == 0) {
		memcpy(srv->line, line.p, line.n);
		stream_write(srv->s, line);
		srv->result = stream_flush(srv->s);
		(void)!stream_fill(srv->s, 10);
	}
	stream_free(srv->s);
}

static void handshake(struct client *c, struct server *srv)
{
	pthread_t t;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	c->fd = fds[1];
	*srv = (struct server){ .s = stream_new(fds[0]), .ctx = context_with_both() };
	pthread_create(&t, NULL, client_main, c);
	run_in_fiber(serve, srv);
	pthread_join(t, NULL);
}

static void bytes_travel_through_tls(void **state)
{
	(void)state;
	struct client c = { .name = "one.example", .version = TLS1_3_VERSION };
	struct server srv;

	handshake(&c, &srv);
	assert_int_equal(srv.result, 0);
	assert_string_equal(srv.line, "ping\n");
	assert_string_equal(c.echo, "ping\n");
	assert_string_equal(srv.info.version, "TLSv1.3");
	assert_string_equal(srv.info.server_name, "one.example");
}

static void the_certificate_is_chosen_by_server_name(void **state)
{
	(void)state;
	struct client one = { .name = "one.example", .version = TLS1_3_VERSION };
	struct client two = { .name = "two.example", .version = TLS1_2_VERSION };
	struct server srv;

	handshake(&one, &srv);
	assert_string_equal(one.subject, "one.example");
	handshake(&two, &srv);
	assert_string_equal(two.subject, "two.example");
	assert_string_equal(srv.info.version, "TLSv1.2");
}

static void versions_before_1_2_are_refused(void **state)
{
	(void)state;
	struct client c = { .name = "one.example", .version = TLS1_1_VERSION };
	struct server srv;

	handshake(&c, &srv);
	assert_int_equal(srv.result, -EPROTO);
}

static void inject(void *arg)
{
	struct server *srv = arg;
	struct str line;

	/* RFC 3207 4.2: what came in plain text behind STARTTLS must not be read afterwards. */
	assert_int_equal(stream_read_line(srv->s, 30, &line), 0);
	assert_int_equal(stream_wait_input(srv->s, 1000), 1);
	serve(srv);
}

static void plain_text_behind_starttls_is_thrown_away(void **state)
{
	(void)state;
	struct client c = { .name = "one.example", .version = TLS1_3_VERSION };
	struct server srv;
	pthread_t t;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(write(fds[1], "STARTTLS\nEVIL\n", 14), 14);
	c.fd = fds[1];
	srv = (struct server){ .s = stream_new(fds[0]), .ctx = context_with_both() };
	pthread_create(&t, NULL, client_main, &c);
	run_in_fiber(inject, &srv);
	pthread_join(t, NULL);
	assert_string_not_equal(srv.line, "EVIL\n");
}

/* One byte of a ClientHello at a time, each before the stream's idle time is over. */
static void drip(void *arg)
{
	int fd = *(int *)arg;

	/* Handshake record, version, 4096 bytes. */
	for (int i = 0; fiber_sleep(4000) == 0; i++) {
		static const char head[] = { 22, 3, 1, 16, 0, 1, 0, 15, (char)0xfc };
		char c = i < (int)sizeof(head) ? head[i] : 'x';
		assert_int_equal(write(fd, &c, 1), 1);
	}
}

static void accept_a_drip(void *unused)
{
	(void)unused;
	struct server srv = { .ctx = context_with_both() };
	int64_t before = loop_now();
	struct group g;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	srv.s = stream_new(fds[0]);
	group_init(&g);
	assert_int_equal(fiber_spawn(&g, "client", drip, &fds[1]), 0);
	serve(&srv);
	assert_int_equal(srv.result, -ETIMEDOUT);
	assert_int_equal(loop_now() - before, 60000);
	group_done(&g);
	close(fds[1]);
}

static void a_handshake_does_not_take_for_ever(void **state)
{
	(void)state;
	run_in_fiber(accept_a_drip, NULL);
}

/* Reads to the end: was it said in TLS, so that nobody can have cut something off? */
static void *read_to_the_end(void *arg)
{
	struct client *c = arg;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	char more[16];

	SSL_set_fd(ssl, c->fd);
	if (SSL_connect(ssl) == 1 && SSL_read(ssl, c->echo, sizeof(c->echo) - 1) > 0) {
		int r = SSL_read(ssl, more, sizeof(more));
		c->ended = SSL_get_error(ssl, r) == SSL_ERROR_ZERO_RETURN;
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(c->fd);
	return NULL;
}

struct relayed {
	struct server srv;
	struct stream *worker;
};

static void relay_until_the_worker_ends(void *arg)
{
	struct relayed *r = arg;
	struct err err;

	assert_int_equal(tls_accept(r->srv.s, r->srv.ctx, &err), 0);
	tls_context_unref(r->srv.ctx);
	assert_int_equal(stream_relay(r->srv.s, r->worker, 5000), 0);
	stream_free(r->worker);
	stream_free(r->srv.s);
}

static void a_relayed_session_ends_with_a_goodbye_in_tls(void **state)
{
	(void)state;
	struct client c = { 0 };
	struct relayed r = { .srv.ctx = context_with_both() };
	int fds[2], worker[2];
	pthread_t t;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, worker), 0);
	assert_int_equal(write(worker[1], "bye\n", 4), 4);
	close(worker[1]);
	c.fd = fds[1];
	r.srv.s = stream_new(fds[0]);
	r.worker = stream_new(worker[0]);
	pthread_create(&t, NULL, read_to_the_end, &c);
	run_in_fiber(relay_until_the_worker_ends, &r);
	pthread_join(t, NULL);
	assert_string_equal(c.echo, "bye\n");
	assert_true(c.ended);
}

static void a_missing_key_is_named(void **state)
{
	(void)state;
	struct tls_files files = { .cert = paths[0], .key = "/nonexistent/key.pem" };
	struct tls_context *ctx;
	struct err err;

	assert_int_equal(tls_context_new(&files, TLS_LEVEL_MODERN, &ctx, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/nonexistent/key.pem"));
}

static void a_key_of_another_certificate_is_refused(void **state)
{
	(void)state;
	struct tls_files files = { .cert = paths[0], .key = paths[3] };
	struct tls_context *ctx;

	assert_int_equal(tls_context_new(&files, TLS_LEVEL_MODERN, &ctx, NULL), -EINVAL);
}

static int real_clock(void **state)
{
	(void)state;
	loop_init(LOOP_CLOCK_REAL);
	work_init(1);
	return 0;
}

#define tls_test(f) cmocka_unit_test_setup_teardown(f, real_clock, loop_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		tls_test(bytes_travel_through_tls),
		tls_test(the_certificate_is_chosen_by_server_name),
		tls_test(versions_before_1_2_are_refused),
		tls_test(plain_text_behind_starttls_is_thrown_away),
		fiber_test(a_handshake_does_not_take_for_ever),
		tls_test(a_relayed_session_ends_with_a_goodbye_in_tls),
		tls_test(a_missing_key_is_named),
		tls_test(a_key_of_another_certificate_is_refused),
	};
	return cmocka_run_group_tests_name("core/tls", tests, make_certificates,
					   remove_certificates);
}
