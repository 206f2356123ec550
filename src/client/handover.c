#include "client/handover.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "client/local.h"
#include "client/mend.h"
#include "core/settings.h"

#define SMTP_PORT 25

/* RFC 5321 4.5.3.2.6: 10 minutes for what follows the end of data. */
#define SECONDS 600

#define PIECE 16384

#define COMMAND_MAX 1024

#define REPLY_LINES_MAX 100

struct talk {
	const struct handover *message;
	const struct settings *set;
	struct local local;
	struct arena memory;
	struct err *err;
};

/* The code of the next reply; 0: there is none. *err has its text when it is not what we want. */
static unsigned read_reply(struct talk *t)
{
	struct str line;
	uint64_t code = 0;

	for (int i = 0; i < REPLY_LINES_MAX; i++) {
		if (local_read_line(&t->local, &line, t->err) < 0)
			return 0;
		if (line.n < 3 || str_to_u64(str_sub(line, 0, 3), 999, &code) < 0) {
			err_set(t->err, -EPROTO, "that is no mail server: %" STR_FMT,
				STR_ARG(line));
			return 0;
		}
		if (line.n == 3 || line.p[3] != '-') {
			err_set(t->err, -EIO, "%" STR_FMT, STR_ARG(line));
			return (unsigned)code;
		}
	}
	err_set(t->err, -EPROTO, "a reply without an end");
	return 0;
}

static unsigned say(struct talk *t, struct str command)
{
	return local_write(&t->local, command, t->err) < 0 ? 0 : read_reply(t);
}

static bool is_good(unsigned code)
{
	return code >= 200 && code < 400;
}

static enum handover_outcome refusal(unsigned code, enum handover_outcome permanent)
{
	return code >= 500 ? permanent : HANDOVER_LATER;
}

/* A sender that no server takes must not keep the mail from being stored. */
static unsigned say_sender(struct talk *t)
{
	struct str sender = t->message->sender;
	bool ascii = str_is_ascii(sender);
	for (size_t i = 0; i < t->message->recipient_count; i++)
		ascii &= str_is_ascii(t->message->recipients[i]);
	const char *utf8 = ascii ? "" : " SMTPUTF8";
	unsigned code =
		say(t, arena_printf(&t->memory, "MAIL FROM:<%" STR_FMT "> BODY=8BITMIME%s\r\n",
				    STR_ARG(sender), utf8));

	if (code < 500 || !sender.n)
		return code;
	return say(t, arena_printf(&t->memory, "MAIL FROM:<> BODY=8BITMIME%s\r\n", utf8));
}

/* 0, or -errno: then the connection must not be used to end the data. */
static int send_message(struct talk *t)
{
	struct mend mend = MEND_INIT;
	struct buf out;
	char *in = arena_alloc(&t->memory, PIECE);
	ssize_t n;
	int r = 0;

	buf_init(&out, &t->memory, MEND_GROWTH * PIECE + 5);
	mend_bytes(&mend, str_sub(t->message->head, 0, PIECE), &out);
	r = local_write(&t->local, buf_str(&out), t->err);
	if (r < 0)
		return r;
	do {
		n = read(t->message->fd, in, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(t->err, "the message");
		buf_clear(&out);
		if (n)
			mend_bytes(&mend, str_of(in, (size_t)n), &out);
		else
			mend_end(&mend, &out);
		r = local_write(&t->local, buf_str(&out), t->err);
	} while (n && r == 0);
	return r;
}

static enum handover_outcome transfer(struct talk *t)
{
	unsigned code = say(t, STR("DATA\r\n"));

	if (!is_good(code))
		return refusal(code, HANDOVER_REFUSED);
	if (send_message(t) < 0)
		return HANDOVER_LATER;
	code = say(t, STR(".\r\n"));
	return is_good(code) ? HANDOVER_DONE : refusal(code, HANDOVER_REFUSED);
}

static enum handover_outcome talk(struct talk *t)
{
	struct arena *a = &t->memory;
	unsigned code = read_reply(t);

	if (is_good(code))
		code = say(t, arena_printf(a, "EHLO %" STR_FMT "\r\n", STR_ARG(t->set->fqdn)));
	/* That it does not talk to us now says nothing about the message. */
	if (!is_good(code))
		return HANDOVER_LATER;
	code = say_sender(t);
	if (!is_good(code))
		return refusal(code, HANDOVER_REFUSED);
	for (size_t i = 0; i < t->message->recipient_count; i++) {
		code = say(t, arena_printf(a, "RCPT TO:<%" STR_FMT ">\r\n",
					   STR_ARG(t->message->recipients[i])));
		if (!is_good(code))
			return refusal(code, HANDOVER_NO_USER);
	}
	return transfer(t);
}

bool handover_may_send(struct str address)
{
	for (size_t i = 0; i < address.n; i++)
		if ((unsigned char)address.p[i] < ' ' || strchr("<>\x7f", address.p[i]))
			return false;
	return true;
}

struct str handover_sender(struct str given)
{
	if (str_starts(given, STR("<")) && str_ends(given, STR(">")))
		given = str_sub(given, 1, given.n - 2);
	return handover_may_send(given) ? given : STR_NONE;
}

int handover_status(enum handover_outcome outcome)
{
	switch (outcome) {
	case HANDOVER_DONE:
		return EX_OK;
	case HANDOVER_NO_USER:
		return EX_NOUSER;
	case HANDOVER_REFUSED:
		return EX_UNAVAILABLE;
	case HANDOVER_LATER:
		break;
	}
	return EX_TEMPFAIL;
}

static bool has_long_address(const struct handover *h)
{
	bool is_long = h->sender.n > COMMAND_MAX;

	for (size_t i = 0; i < h->recipient_count; i++)
		is_long |= h->recipients[i].n > COMMAND_MAX;
	return is_long;
}

enum handover_outcome handover_run(const struct handover *h, const struct settings *set,
				   struct err *err)
{
	struct talk t = { .message = h, .set = set, .memory = ARENA_INIT, .err = err };

	if (has_long_address(h)) {
		err_set(err, -E2BIG, "an address of more than %d bytes", COMMAND_MAX);
		return HANDOVER_NO_USER;
	}
	int r = h->local ? local_open_path(&t.local, set->local_socket, SECONDS, err)
			 : local_open(&t.local, set, SMTP_PORT, SECONDS, err);
	if (r < 0)
		return HANDOVER_LATER;
	enum handover_outcome outcome = talk(&t);
	/* The message is where it is to be: what becomes of the farewell does not matter. */
	if (outcome == HANDOVER_DONE)
		(void)!local_write(&t.local, STR("QUIT\r\n"), NULL);
	local_close(&t.local);
	arena_done(&t.memory);
	return outcome;
}
