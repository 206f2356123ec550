/* An SMTP session with a scripted client and a backend that is a table.
 *
 * The test's body runs in a fiber of its own, beside the session's; the clock is virtual. The
 * script is text: "C: " lines are sent with CRLF, "S: " lines are expected, where one that ends
 * with "*" stands for any line that begins so. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/settings.h"
#include "core/stream.h"
#include "smtp/known.h"
#include "smtp/service.h"
#include "smtp/throttle.h"

struct sim {
	struct arena arena;
	struct settings settings;
	struct smtp_service service;
	struct smtp_client client;
	struct group sessions;
	struct stream *peer; /* the client's end */
	int log;

	/* What the backend answers... */
	int resolve_error, submit_error, room_error;
	const char *signature;	       /* lines that sign mail of users */
	const char *refusal, *results; /* of mail of strangers; NULL: none */
	int sign_error, examine_error;
	const char *name; /* of the client; NULL: it has none */
	int64_t name_delay;
	enum smtp_domain_state sender_domain; /* what the DNS says of any; 0: it is there */
	unsigned domains_asked;
	int64_t submit_delay;
	struct tls_context *tls;

	/* ...and what it was given last. */
	unsigned logins, submitted;
	struct str sender, envid, auth_user, client_name, head, body;
	enum filter_iprev iprev;
	uint32_t flags;
	size_t recipient_count;
	struct str recipients[8], originals[8], orcpt;
	unsigned notify;
};

/* Run `fn` with a session on `port`, settings given as NULL-terminated NAME=value, or NULL. */
void sim_run(enum smtp_port port, const char *const *env, void (*fn)(struct sim *sim));

/* The same, but without a connection: the test makes its own. */
void sim_run_idle(enum smtp_port port, const char *const *env, void (*fn)(struct sim *sim));
void sim_connect(struct sim *sim);
void sim_hang_up(struct sim *sim);

void sim_talk(struct sim *sim, const char *script);

/* Raw bytes, which may hold NUL; in sim_say they end at it. */
void sim_send(struct sim *sim, struct str bytes);
void sim_say(struct sim *sim, const char *text);

/* The server has closed the connection. */
void sim_expect_closed(struct sim *sim);

/* The log holds this text. */
void sim_expect_log(struct sim *sim, const char *text);

/* From the next connection on there is a certificate. */
void sim_use_tls(struct sim *sim);

/* Up to an open transaction with one recipient, alice@example.org. */
void sim_greet(struct sim *sim);
void sim_open_message(struct sim *sim);

#define assert_str(s, expected)                                                                    \
	do {                                                                                       \
		struct str s_ = (s);                                                               \
		struct str e_ = str_from(expected);                                                \
		assert_int_equal(s_.n, e_.n);                                                      \
		if (e_.n)                                                                          \
			assert_memory_equal(s_.p, e_.p, e_.n);                                     \
	} while (0)

int sim_setup(void **state);
int sim_teardown(void **state);
#define sim_test(f) cmocka_unit_test_setup_teardown(f, sim_setup, sim_teardown)
