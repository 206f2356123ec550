#include "courier/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fiber.h"
#include "core/loop.h"
#include "core/stream.h"
#include "courier/config.h"
#include "courier/verdict.h"

/* How long the goodbye may wait for the server's window. */
#define QUIT_MS 1000

struct client *client_new(const struct courier_config *config, int fd,
			  const struct client_peer *peer)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		check_no_memory();
	c->s = stream_new(fd);
	c->config = config;
	c->lmtp = peer->lmtp;
	snprintf(c->host, sizeof(c->host), "%s", peer->host);
	if (peer->address[0] == '/')
		snprintf(c->relay, sizeof(c->relay), "%.*s[%s]", CLIENT_HOST_MAX, config->fqdn.p,
			 peer->address);
	else
		snprintf(c->relay, sizeof(c->relay), "%s[%s]:%u", peer->host, peer->address,
			 peer->port);
	return c;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	stream_free(c->s);
	free(c);
}

void client_quit(struct client *c)
{
	if (!c)
		return;
	if (!c->closing && stream_error(c->s) == 0) {
		stream_set_idle(c->s, QUIT_MS);
		stream_puts(c->s, "QUIT\r\n");
		(void)!stream_flush(c->s);
	}
	client_free(c);
}

/* One line of any length: what is too long is cut. */
static int may_suspend read_line(struct client *c, char *copy, struct str *line)
{
	int r = stream_read_line(c->s, REPLY_LINE_MAX, line);

	if (r != -EMSGSIZE) {
		*line = str_chomp(*line);
		return r;
	}
	memcpy(copy, stream_peek(c->s).p, REPLY_TEXT_MAX);
	*line = str_of(copy, REPLY_TEXT_MAX);
	return stream_skip_line(c->s);
}

static int may_suspend hear(struct client *c, struct courier_capabilities *caps)
{
	char copy[REPLY_TEXT_MAX];
	struct str line = STR_NONE;
	int more;

	courier_reply_init(&c->reply);
	do {
		int r = read_line(c, copy, &line);
		if (r < 0)
			return r;
		more = courier_reply_add(&c->reply, line);
		if (more < 0)
			return more;
		if (caps && c->reply.lines > 1)
			courier_capabilities_add(caps, courier_reply_rest(line));
	} while (more == REPLY_MORE);
	c->reused = false;
	if (c->reply.code == 421)
		c->closing = true;
	return 0;
}

/* The limit holds for the whole reply, however many lines and bytes it comes in. */
static int may_suspend hear_within(struct client *c, int64_t ms, struct courier_capabilities *caps)
{
	int64_t deadline = loop_deadline(ms);
	int64_t limit = fiber_limit_begin(deadline);

	stream_set_idle(c->s, ms);
	int r = hear(c, caps);
	fiber_limit_end(limit);
	if (r < 0)
		c->closing = true;
	return r;
}

int client_hear(struct client *c, int64_t ms)
{
	return hear_within(c, ms, NULL);
}

int client_ask(struct client *c, const char *stage, int64_t ms, struct str line)
{
	c->stage = stage;
	stream_write(c->s, line);
	stream_puts(c->s, "\r\n");
	return client_hear(c, ms);
}

void client_verdict(const struct client *c, int error, struct verdict *v)
{
	if (error == -ETIMEDOUT)
		verdict_set(v, COURIER_TRY_AGAIN, "4.4.2",
			    "conversation with %s timed out while %s", c->relay, c->stage);
	else if (error == -EPROTO && stream_error(c->s) == 0)
		verdict_set(v, COURIER_TRY_AGAIN, "4.5.0", "%s said what is no reply while %s",
			    c->relay, c->stage);
	else if (error == -EIO)
		verdict_set(v, COURIER_TRY_AGAIN, "4.3.0", "the message cannot be read");
	else if (error == -ECANCELED)
		verdict_set(v, COURIER_TRY_AGAIN, "4.3.2", "this server is stopping");
	else
		verdict_set(v, COURIER_TRY_AGAIN, "4.4.2", "lost connection with %s while %s",
			    c->relay, c->stage);
	v->trouble = COURIER_UNREACHABLE;
}

/* A server that will not talk with us now may do so later, whatever its code says. */
int client_greeting(struct client *c, struct verdict *v)
{
	c->stage = "receiving the initial server greeting";
	int r = client_hear(c, c->config->times.greeting);
	if (r < 0) {
		client_verdict(c, r, v);
		return r;
	}
	if (c->reply.code / 100 == 2)
		return 0;
	verdict_from_reply(v, &c->reply, NULL);
	verdict_soften(v);
	v->trouble = COURIER_BUSY;
	return -ECONNREFUSED;
}

static int may_suspend say_hello(struct client *c, const char *verb)
{
	char line[300];

	snprintf(line, sizeof(line), "%s %" STR_FMT "\r\n", verb, STR_ARG(c->config->helo));
	c->stage = c->lmtp ? "performing the LHLO handshake" : "performing the EHLO handshake";
	c->caps = (struct courier_capabilities){ 0 };
	stream_puts(c->s, line);
	int r = hear_within(c, c->config->times.helo, &c->caps);
	if (r == 0 && c->reply.code / 100 != 2)
		c->caps = (struct courier_capabilities){ 0 };
	return r;
}

int client_hello(struct client *c, struct verdict *v)
{
	int r = say_hello(c, c->lmtp ? "LHLO" : "EHLO");

	c->esmtp = r == 0 && c->reply.code / 100 == 2;
	/* RFC 5321 4.1.4: who does not know EHLO says 500 or 502; others say what they like. */
	if (r == 0 && c->reply.code / 100 == 5 && !c->lmtp && !c->tls)
		r = say_hello(c, "HELO");
	if (r < 0) {
		client_verdict(c, r, v);
		return r;
	}
	if (c->reply.code / 100 == 2)
		return 0;
	verdict_from_reply(v, &c->reply, c->lmtp ? "LHLO command" : "EHLO command");
	if (v->outcome == COURIER_TRY_AGAIN)
		v->trouble = COURIER_BUSY;
	return -ECONNREFUSED;
}
