#include "courier/content.h"

#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "base/str.h"
#include "core/stream.h"
#include "courier/attempt.h"
#include "courier/client.h"
#include "courier/config.h"
#include "courier/seven_bit.h"
#include "courier/verdict.h"
#include "dns/idna.h"
#include "queue/envelope.h"

static int may_suspend examine(struct attempt *t, struct verdict *v)
{
	if (t->examined)
		return 0;
	int r = body_examine(&t->body, t->block, &t->traits);
	if (r < 0) {
		verdict_set(v, COURIER_TRY_AGAIN, "4.3.0", "the message cannot be read");
		return r;
	}
	t->examined = true;
	return 0;
}

static int cannot(struct verdict *v, const char *status, const struct client *c, const char *what)
{
	verdict_set(v, COURIER_REFUSED, status, "%s, which %s does not take", what, c->relay);
	return -EMSGSIZE;
}

/* Is there an address that is not ASCII, and one whose domain has no other form (RFC 6531 3.2)? */
static void look_at_addresses(const struct attempt *t, bool *utf8, bool *fixed)
{
	const struct courier_deliver_in *in = t->in;
	struct str address = in->sender, ascii;
	size_t i = 0;

	*utf8 = *fixed = false;
	for (;;) {
		*utf8 |= !str_is_ascii(address);
		*fixed |= idna_address_to_ascii(address, t->arena, &ascii) < 0;
		if (i == in->recipients_count)
			return;
		address = in->recipients[i++].address;
	}
}

/* RFC 6531 3.4: only what needs it; a client that says it always still gets ASCII mail through. */
static int may_suspend check_smtputf8(const struct client *c, struct attempt *t,
				      struct content_needs *out, struct verdict *v)
{
	bool utf8, fixed, offered = client_offers(c, COURIER_SMTPUTF8), needed;

	look_at_addresses(t, &utf8, &fixed);
	needed = offered ? utf8 : fixed;
	if (!needed && t->in->flags & ENVELOPE_SMTPUTF8) {
		int r = examine(t, v);
		if (r < 0)
			return r;
		needed = t->traits.eight_bit_head;
	}
	out->a_labels = utf8 && !offered;
	if (!needed)
		return 0;
	if (!offered)
		return cannot(v, "5.6.7", c, "SMTPUTF8 is needed for this message");
	out->smtputf8 = true;
	return 0;
}

static int may_suspend convert(struct attempt *t, const struct client *c, struct verdict *v)
{
	struct body converted;
	struct err err;

	int r = seven_bit_make(&t->body, &converted, &err);
	if (r == -E2BIG) {
		verdict_set(v, COURIER_REFUSED, "5.6.3", "%s takes 7-bit text only, and %s",
			    c->relay, err.text);
		return -EMSGSIZE;
	}
	if (r < 0) {
		verdict_set(v, COURIER_TRY_AGAIN, "4.3.0", "the message cannot be converted");
		return r;
	}
	attempt_take_body(t, &converted);
	return 0;
}

/* RFC 6152 3, RFC 3030 3: what the server does not take is converted. */
static int may_suspend check_type(const struct client *c, struct attempt *t,
				  struct content_needs *out, struct verdict *v)
{
	bool binary = t->in->flags & ENVELOPE_BINARYMIME;

	if (t->converted)
		return 0;
	if (binary && client_offers(c, COURIER_CHUNKING) && client_offers(c, COURIER_BINARYMIME)) {
		out->body_type = "BINARYMIME";
		return 0;
	}
	if (!binary && client_offers(c, COURIER_8BITMIME)) {
		if (t->in->flags & ENVELOPE_8BITMIME || out->smtputf8)
			out->body_type = "8BITMIME";
		return 0;
	}
	int r = examine(t, v);
	if (r < 0)
		return r;
	if (binary ? t->traits.binary : t->traits.eight_bit)
		return convert(t, c, v);
	if (t->traits.eight_bit && !client_offers(c, COURIER_8BITMIME))
		return convert(t, c, v);
	if (t->traits.eight_bit)
		out->body_type = "8BITMIME";
	return 0;
}

static int check_size(const struct client *c, const struct attempt *t, struct verdict *v)
{
	if (!client_offers(c, COURIER_SIZE) || !c->caps.size || t->body.length <= c->caps.size)
		return 0;
	verdict_set(v, COURIER_REFUSED, "5.3.4",
		    "message size %" PRIu64 " exceeds size limit %" PRIu64 " of server %s",
		    t->body.length, c->caps.size, c->relay);
	return -EMSGSIZE;
}

int content_prepare(const struct client *c, struct attempt *t, struct content_needs *out,
		    struct verdict *v)
{
	*out = (struct content_needs){ 0 };
	if (t->in->flags & ENVELOPE_REQUIRETLS && !client_offers(c, COURIER_REQUIRETLS)) {
		verdict_set(v, COURIER_REFUSED, "5.7.30",
			    "REQUIRETLS is asked for, which %s does not offer", c->relay);
		return -EMSGSIZE;
	}
	int r = check_size(c, t, v);
	if (r == 0)
		r = check_smtputf8(c, t, out, v);
	if (r == 0)
		r = check_type(c, t, out, v);
	return r < 0 ? r : check_size(c, t, v);
}

struct dots {
	struct stream *s;
	char last[2]; /* of what was sent; "\r\n" at the start of a line */
};

/* RFC 5321 4.5.2. A dot behind a bare LF is doubled too: there are servers that take that for a
 * line. */
static void may_suspend put_stuffed(struct dots *d, struct str text)
{
	if (d->last[1] == '\n' && text.n && text.p[0] == '.')
		stream_puts(d->s, ".");
	for (struct str rest = text; rest.n;) {
		ssize_t at = str_find(rest, STR("\n."));
		size_t n = at < 0 ? rest.n : (size_t)at + 1;
		stream_write(d->s, str_sub(rest, 0, n));
		if (at >= 0)
			stream_puts(d->s, ".");
		rest = str_skip(rest, n);
	}
	if (text.n >= 2)
		d->last[0] = text.p[text.n - 2];
	else
		d->last[0] = d->last[1];
	d->last[1] = text.p[text.n - 1];
}

/* Each block has its time; a server that answers now does not want the rest. */
static int may_suspend before_block(struct client *c, uint64_t at)
{
	stream_set_idle(c->s, c->config->times.block);
	if (at == 0)
		return 0;
	int r = stream_wait_input(c->s, 0);
	return r == 1 ? CONTENT_ANSWERED : r;
}

int content_send_data(struct client *c, struct attempt *t)
{
	struct dots d = { .s = c->s, .last = { '\r', '\n' } };

	for (uint64_t at = 0; at < t->body.length;) {
		uint64_t left = t->body.length - at;
		size_t n = left < BODY_BLOCK ? (size_t)left : BODY_BLOCK;
		int r = before_block(c, at);
		if (r == 0)
			r = body_read(&t->body, at, t->block, n);
		if (r != 0)
			return r;
		put_stuffed(&d, str_of(t->block, n));
		at += n;
	}
	if (d.last[0] != '\r' || d.last[1] != '\n')
		stream_puts(c->s, "\r\n");
	stream_puts(c->s, ".\r\n");
	return stream_flush(c->s);
}

int content_send_chunk(struct client *c, struct attempt *t)
{
	stream_set_idle(c->s, c->config->times.block);
	stream_printf(c->s, "BDAT %" PRIu64 " LAST\r\n", t->body.length);
	for (uint64_t at = 0; at < t->body.length;) {
		uint64_t left = t->body.length - at;
		size_t n = left < BODY_BLOCK ? (size_t)left : BODY_BLOCK;
		int r = body_read(&t->body, at, t->block, n);
		if (r < 0)
			return r;
		stream_write(c->s, str_of(t->block, n));
		at += n;
	}
	return stream_flush(c->s);
}
