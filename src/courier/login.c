#include "courier/login.h"

#include <errno.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/rand.h"
#include "core/stream.h"
#include "core/tls_client.h"
#include "core/work.h"
#include "courier/client.h"
#include "courier/config.h"
#include "courier/sasl_client.h"
#include "courier/verdict.h"

#define NONCE_BYTES 18

struct step {
	struct sasl_client *sasl;
	struct str challenge;
	struct buf *out;
};

static int run_step(void *arg)
{
	struct step *s = arg;

	return sasl_client_step(s->sasl, s->challenge, s->out);
}

static int fail(struct verdict *v, const struct client *c, const char *why)
{
	verdict_set(v, COURIER_TRY_AGAIN, "4.7.0", "SASL authentication at %s failed: %s", c->relay,
		    why);
	v->trouble = COURIER_UNREACHABLE;
	return -EPROTO;
}

/* Our next message into `line`: behind the command, or alone. */
static int may_suspend put_message(struct sasl_client *x, struct str challenge, bool with_command,
				   struct buf *line)
{
	auto_buf struct buf message;
	struct step s = { x, challenge, &message };

	buf_init(&message, NULL, SASL_CLIENT_MESSAGE_MAX);
	int r = work_run(run_step, &s);
	if (r < 0 || buf_failed(&message))
		return r < 0 ? r : -EPROTO;
	if (with_command)
		buf_putc(line, ' ');
	/* RFC 4954 4: an empty message is "=" there, and an empty line later. */
	if (with_command && !message.n)
		buf_putc(line, '=');
	base64_write(line, buf_str(&message));
	return buf_failed(line) ? -EPROTO : 0;
}

/* The challenge of a 334, decoded. */
static int read_challenge(const struct client *c, struct buf *out)
{
	struct str text = str_skip(courier_reply_text(&c->reply), 4);

	buf_clear(out);
	return base64_parse(str_trim(text), out);
}

static int may_suspend exchange(struct client *c, struct sasl_client *x, struct verdict *v)
{
	auto_buf struct buf line, challenge;
	int r = 0;

	buf_init(&line, NULL, 2 * SASL_CLIENT_MESSAGE_MAX);
	buf_init(&challenge, NULL, SASL_CLIENT_MESSAGE_MAX);
	buf_puts(&line, "AUTH ");
	buf_put_str(&line, sasl_client_name(x->mechanism));
	if (sasl_client_begins(x))
		r = put_message(x, STR_NONE, true, &line);
	while (r == 0) {
		r = client_ask(c, "sending AUTH", c->config->times.helo, buf_str(&line));
		if (r < 0 || c->reply.code != 334)
			break;
		buf_clear(&line);
		r = read_challenge(c, &challenge);
		if (r == 0)
			r = put_message(x, buf_str(&challenge), false, &line);
		if (r < 0) {
			/* RFC 4954 4: "*" cancels. */
			(void)!client_ask(c, "sending AUTH", c->config->times.helo, STR("*"));
			return fail(v, c, "what the server said is not the mechanism's");
		}
	}
	if (r < 0) {
		client_verdict(c, r, v);
		return r;
	}
	return 0;
}

static int may_suspend use(struct client *c, struct sasl_client *x, struct verdict *v)
{
	int r = exchange(c, x, v);

	if (r < 0)
		return r;
	if (c->reply.code == 235 && sasl_client_is_complete(x))
		return 0;
	if (c->reply.code == 235)
		return fail(v, c, "the server has not proven that it knows the password");
	struct str text = courier_reply_text(&c->reply);
	verdict_set(v, COURIER_TRY_AGAIN, "4.7.8", "SASL authentication at %s failed: %" STR_FMT,
		    c->relay, STR_ARG(text));
	v->trouble = COURIER_UNREACHABLE;
	return -EACCES;
}

static void make_nonce(char out[SASL_NONCE_MAX])
{
	unsigned char random[NONCE_BYTES];
	auto_buf struct buf nonce;

	buf_init(&nonce, NULL, SASL_NONCE_MAX);
	rand_bytes(random, sizeof(random));
	base64_write(&nonce, str_of(random, sizeof(random)));
	snprintf(out, SASL_NONCE_MAX, "%" STR_FMT, STR_ARG(buf_str(&nonce)));
}

int login(struct client *c, struct str user, struct str password, struct verdict *v)
{
	unsigned char binding[TLS_BINDING_MAX];
	struct sasl_client x = { .user = user, .password = password };

	if (!client_offers(c, COURIER_AUTH))
		return 0;
	x.binding = str_of(binding, tls_channel_binding(c->s, &x.binding_type, binding));
	x.plus_offered = c->caps.mechanisms & COURIER_AUTH_SCRAM_SHA_256_PLUS;
	x.mechanism = sasl_client_choose(c->caps.mechanisms, c->tls, x.binding.n > 0);
	if (!x.mechanism)
		return fail(v, c, "no mechanism that both sides know");
	make_nonce(x.nonce);
	int r = use(c, &x, v);
	sasl_client_done(&x);
	return r;
}
