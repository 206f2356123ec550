#include "queue/envelope.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "queue/bytes.h"

#define VERSION 1

/* kind, notify and four empty strings */
#define RECIPIENT_SIZE_MIN (2 + 4 * 2)

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f)
			return true;
	}
	return false;
}

static int check_str(struct str s, size_t max, const char *what, struct err *err)
{
	if (s.n > max)
		return err_set(err, -E2BIG, "envelope: %s of %zu bytes", what, s.n);
	if (has_control(s))
		return err_set(err, -EINVAL, "envelope: control character in %s", what);
	return 0;
}

static int check_recipient(const struct envelope_recipient *r, struct err *err)
{
	if (r->kind >= ENVELOPE_KINDS)
		return err_set(err, -EINVAL, "envelope: recipient of kind %d", (int)r->kind);
	if (r->notify & ~(unsigned)ENVELOPE_NOTIFY_ALL)
		return err_set(err, -EINVAL, "envelope: NOTIFY bits %#x", r->notify);
	if (r->address.n == 0)
		return err_set(err, -EINVAL, "envelope: recipient without address");

	int e = check_str(r->address, ENVELOPE_ADDRESS_MAX, "recipient", err);
	if (e == 0)
		e = check_str(r->account, ENVELOPE_ADDRESS_MAX, "account", err);
	if (e == 0)
		e = check_str(r->original, ENVELOPE_ADDRESS_MAX, "original recipient", err);
	if (e == 0)
		e = check_str(r->orcpt, ENVELOPE_ORCPT_MAX, "ORCPT", err);
	return e;
}

size_t envelope_recipients_size(const struct envelope *e)
{
	size_t size = 0;

	for (size_t i = 0; i < e->recipient_count; i++) {
		const struct envelope_recipient *r = &e->recipients[i];
		size += RECIPIENT_SIZE_MIN + r->address.n + r->account.n + r->original.n +
			r->orcpt.n;
	}
	return size;
}

int envelope_check(const struct envelope *e, struct err *err)
{
	const struct {
		struct str s;
		size_t max;
		const char *what;
	} strings[] = {
		{ e->sender, ENVELOPE_ADDRESS_MAX, "sender" },
		{ e->envid, ENVELOPE_TEXT_MAX, "ENVID" },
		{ e->auth_user, ENVELOPE_ADDRESS_MAX, "login" },
		{ e->client_name, ENVELOPE_TEXT_MAX, "client name" },
		{ e->client_address, ENVELOPE_TEXT_MAX, "client address" },
		{ e->helo, ENVELOPE_TEXT_MAX, "HELO" },
	};

	if (e->flags & ~(uint32_t)ENVELOPE_FLAGS_ALL ||
	    envelope_priority(e->flags) > ENVELOPE_PRIORITY_MAX)
		return err_set(err, -EINVAL, "envelope: flags %#x", e->flags);
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		int r = check_str(strings[i].s, strings[i].max, strings[i].what, err);
		if (r < 0)
			return r;
	}
	if (e->recipient_count == 0)
		return err_set(err, -EINVAL, "envelope: no recipient");
	if (e->recipient_count > ENVELOPE_RECIPIENTS_MAX)
		return err_set(err, -E2BIG, "envelope: %zu recipients", e->recipient_count);

	for (size_t i = 0; i < e->recipient_count; i++) {
		int r = check_recipient(&e->recipients[i], err);
		if (r < 0)
			return r;
	}
	size_t size = envelope_recipients_size(e);
	/* The strings before the recipients take far less than 16 KiB. */
	if (size > ENVELOPE_SIZE_MAX - 16384)
		return err_set(err, -E2BIG, "envelope: recipients of %zu bytes", size);
	return 0;
}

static void write_str(struct buf *out, struct str s)
{
	char n[2];

	bytes_put_u16(n, (uint16_t)s.n);
	buf_put(out, n, sizeof(n));
	buf_put_str(out, s);
}

static void write_u32(struct buf *out, uint32_t v)
{
	char n[4];

	bytes_put_u32(n, v);
	buf_put(out, n, sizeof(n));
}

void envelope_write(const struct envelope *e, struct buf *out)
{
	buf_putc(out, VERSION);
	write_u32(out, e->flags);
	write_str(out, e->sender);
	write_str(out, e->envid);
	write_str(out, e->auth_user);
	write_str(out, e->client_name);
	write_str(out, e->client_address);
	write_str(out, e->helo);
	write_u32(out, (uint32_t)e->recipient_count);
	for (size_t i = 0; i < e->recipient_count; i++) {
		const struct envelope_recipient *r = &e->recipients[i];
		buf_putc(out, (char)r->kind);
		buf_putc(out, (char)r->notify);
		write_str(out, r->address);
		write_str(out, r->account);
		write_str(out, r->original);
		write_str(out, r->orcpt);
	}
}

static struct str take_str(struct bytes_cursor *c)
{
	return bytes_take(c, bytes_take_u16(c));
}

static void take_recipient(struct bytes_cursor *c, struct envelope_recipient *r)
{
	r->kind = bytes_take_u8(c);
	r->notify = bytes_take_u8(c);
	r->address = take_str(c);
	r->account = take_str(c);
	r->original = take_str(c);
	r->orcpt = take_str(c);
}

int envelope_parse(struct str bytes, struct arena *a, struct envelope *out, struct err *err)
{
	struct bytes_cursor c = { .rest = bytes };
	struct envelope e = { 0 };

	uint8_t version = bytes_take_u8(&c);
	if (c.failed)
		return err_set(err, -EBADMSG, "envelope: empty");
	if (version != VERSION)
		return err_set(err, -EPROTO, "envelope: version %u", version);
	e.flags = bytes_take_u32(&c);
	e.sender = take_str(&c);
	e.envid = take_str(&c);
	e.auth_user = take_str(&c);
	e.client_name = take_str(&c);
	e.client_address = take_str(&c);
	e.helo = take_str(&c);
	e.recipient_count = bytes_take_u32(&c);
	/* The count must not make us allocate more than the bytes can hold. */
	if (c.failed || e.recipient_count > c.rest.n / RECIPIENT_SIZE_MIN)
		return err_set(err, -EBADMSG, "envelope: cut short");

	e.recipients = ARENA_NEW_ARRAY(a, struct envelope_recipient, e.recipient_count);
	for (size_t i = 0; i < e.recipient_count; i++)
		take_recipient(&c, &e.recipients[i]);
	if (c.failed || c.rest.n)
		return err_set(err, -EBADMSG, "envelope: cut short or too long");
	if (envelope_check(&e, err) < 0)
		return err ? (err->code = -EBADMSG) : -EBADMSG;
	*out = e;
	return 0;
}
