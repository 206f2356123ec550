#include "smtp/backend.h"

#include <sys/mman.h>

#include "auth/auth_ipc.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/loop.h"
#include "filter/filter.h"
#include "filter/filter_ipc.h"
#include "filter/iprev.h"
#include "queue/queue_ipc.h"
#include "smtp/mail_domain.h"
#include "store/mailbox.h"
#include "store/mailbox_ipc.h"

/* Recipients of so many bytes go into a call (IPC_MESSAGE_MAX); more of them into a file. */
#define ENVELOPE_INLINE_MAX ((size_t)64 << 10)

/* The filter's word that there is no key: under load it is not asked for every message, and the
 * first key is in use at once for all that anybody can see. */
#define NO_KEYS_MS 100

static enum envelope_kind kind_of(unsigned kind)
{
	switch (kind) {
	case AUTH_TARGET_REMOTE:
		return ENVELOPE_REMOTE;
	case AUTH_TARGET_DISCARD:
		return ENVELOPE_DISCARD;
	default:
		return ENVELOPE_MAILBOX;
	}
}

static int resolve(void *ctx, const struct smtp_question *q, struct arena *a,
		   struct smtp_resolution *out, struct err *err)
{
	struct smtp_backend_ctx *b = ctx;
	struct auth_resolve_in in = { .address = q->address,
				      .sender = q->sender,
				      .login = q->login };
	struct auth_resolve_out answer;
	int r = auth_resolve(b->auth, &in, a, &answer, err);
	if (r < 0)
		return r;

	*out = (struct smtp_resolution){
		.verdict = answer.verdict,
		.targets = ARENA_NEW_ARRAY(a, struct smtp_target, answer.targets_count),
		.count = answer.targets_count,
		.code = answer.code,
		.text = answer.text,
		.sender = {
			.denied = answer.sender_denied,
			.code = answer.sender_code,
			.text = answer.sender_text,
			.owned = answer.sender_owned,
			.ours = answer.sender_ours,
			.pause = answer.sender_pause,
		},
	};
	for (size_t i = 0; i < answer.targets_count; i++)
		out->targets[i] = (struct smtp_target){
			.kind = kind_of(answer.targets[i].kind),
			.address = answer.targets[i].address,
			.account = answer.targets[i].account,
			.limited = answer.targets[i].quota > 0,
		};
	return 0;
}

static int find_stranger(void *ctx, const struct smtp_claim *claim, struct arena *a,
			 struct str *stranger, struct err *err)
{
	struct smtp_backend_ctx *b = ctx;
	struct auth_owns_in in = {
		.login = claim->login,
		.authors = ARENA_NEW_ARRAY(a, struct auth_author, claim->count),
		.authors_count = claim->count,
	};
	struct auth_owns_out out;

	for (size_t i = 0; i < claim->count; i++)
		in.authors[i].address = claim->authors[i];
	int r = auth_owns(b->auth, &in, a, &out, err);
	if (r == 0)
		*stranger = out.stranger;
	return r;
}

static int is_full(void *ctx, const struct smtp_target *t, uint64_t size, struct err *err)
{
	struct smtp_backend_ctx *b = ctx;
	auto_arena struct arena a = ARENA_INIT;
	struct mailbox_is_full_in in = { .account = t->account, .size = size };
	struct mailbox_is_full_out out;

	int r = mailbox_is_full(b->mailbox[mailbox_worker(t->account, b->workers)], &in, &a, &out,
				err);
	return r < 0 ? r : out.full;
}

static int find_name(void *ctx, const char *address, struct arena *a, struct smtp_peer_name *out)
{
	struct smtp_backend_ctx *b = ctx;

	const struct lookup dns = lookup_resolver(b->resolver);
	struct iprev found;

	int r = iprev_find(&dns, iprev_address(str_from(address), a), a, &found);
	*out = (struct smtp_peer_name){ found.result, found.name };
	return r;
}

static int find_domain(void *ctx, struct str domain, enum smtp_domain_state *out)
{
	struct smtp_backend_ctx *b = ctx;

	return smtp_mail_domain_find(b->resolver, domain, out);
}

static int login(void *ctx, const struct smtp_login *login, struct arena *a, struct str *account,
		 struct err *err)
{
	struct smtp_backend_ctx *b = ctx;
	struct auth_login_in in = {
		.protocol = STR("smtp"),
		.method = login->mech == SASL_PLAIN ? STR("PLAIN") : STR("LOGIN"),
		.authzid = login->credentials.authzid,
		.user = login->credentials.user,
		.password = login->credentials.password,
		.client_address = str_from(login->client_address),
	};
	struct auth_login_out answer;
	int r = auth_login(b->auth, &in, a, &answer, err);
	if (r == 0)
		*account = answer.account;
	return r;
}

static struct queue_recipient *copy_recipients(const struct envelope *e, struct arena *a)
{
	struct queue_recipient *to = ARENA_NEW_ARRAY(a, struct queue_recipient, e->recipient_count);
	for (size_t i = 0; i < e->recipient_count; i++) {
		const struct envelope_recipient *from = &e->recipients[i];
		to[i] = (struct queue_recipient){
			.address = from->address,
			.account = from->account,
			.original = from->original,
			.orcpt = from->orcpt,
			.kind = (uint8_t)from->kind,
			.notify = (uint8_t)from->notify,
		};
	}
	return to;
}

static void put_envelope(const struct envelope *e, struct arena *a, struct queue_submit_in *in)
{
	in->sender = e->sender;
	in->flags = e->flags;
	in->envid = e->envid;
	in->auth_user = e->auth_user;
	in->client_name = e->client_name;
	in->client_address = e->client_address;
	in->helo = e->helo;
	in->recipients = copy_recipients(e, a);
	in->recipients_count = e->recipient_count;
}

/* The same as a file. */
static int put_large_envelope(const struct envelope *e, struct arena *a, int fd,
			      struct queue_submit_in *in, struct err *err)
{
	struct buf bytes;
	int r = envelope_check(e, err);

	if (r < 0)
		return r;
	buf_init(&bytes, a, ENVELOPE_SIZE_MAX);
	envelope_write(e, &bytes);
	check(!buf_failed(&bytes));
	in->envelope = fd;
	in->envelope_size = bytes.n;
	return fd < 0 ? err_sys(err, "memfd") : fd_write_all(fd, buf_str(&bytes), err);
}

static int submit(void *ctx, const struct smtp_message *m, struct err *err)
{
	struct smtp_backend_ctx *b = ctx;
	auto_arena struct arena a = ARENA_INIT;
	bool large = envelope_recipients_size(&m->envelope) > ENVELOPE_INLINE_MAX;
	auto_close int file = large ? memfd_create("envelope", MFD_CLOEXEC) : -1;
	struct queue_submit_in in = {
		.id = m->id,
		.envelope = -1,
		.head = m->head,
		.body = m->body,
		.body_size = m->body_size,
		.message_id = m->message_id,
	};
	struct queue_submit_out out;
	int r = 0;

	if (large)
		r = put_large_envelope(&m->envelope, &a, file, &in, err);
	else
		put_envelope(&m->envelope, &a, &in);
	return r < 0 ? r : queue_submit(b->queue, &in, &a, &out, err);
}

static int sign(void *ctx, const struct smtp_message *m, struct arena *a, struct str *lines,
		struct err *err)
{
	struct smtp_backend_ctx *b = ctx;
	struct filter_sign_in in = { .head = m->head, .body = m->body, .body_size = m->body_size };
	struct filter_sign_out out = { .head = STR_NONE };

	if (!b->signs || loop_now() < b->no_keys_until)
		return 0;
	int r = filter_sign(b->filter, &in, a, &out, err);
	if (r < 0)
		return r;
	*lines = out.head;
	if (out.none)
		b->no_keys_until = loop_deadline(NO_KEYS_MS);
	return 0;
}

/* Who passes it on to another server. Text without a header is nothing to vouch for. */
static struct str forwarder(const struct smtp_message *m)
{
	const struct envelope *e = &m->envelope;
	bool headless = str_ends(m->head, STR("\r\n\r\n"));

	for (size_t i = 0; i < e->recipient_count; i++)
		if (e->recipients[i].kind == ENVELOPE_REMOTE && !headless)
			return e->recipients[i].original;
	return STR_NONE;
}

static int examine(void *ctx, const struct smtp_message *m, struct arena *a,
		   struct smtp_verdict *out, struct err *err)
{
	struct smtp_backend_ctx *b = ctx;
	const struct envelope *e = &m->envelope;
	struct queue_id_text id = queue_id_text(m->id);
	struct filter_examine_in in = {
		.id = str_from(id.c),
		.client_address = e->client_address,
		.client_name = e->client_name,
		.iprev = (uint8_t)m->iprev,
		.helo = e->helo,
		.sender = e->sender,
		.forwarder = forwarder(m),
		.body = m->body,
		.body_size = m->body_size,
	};
	struct filter_examine_out answer;

	*out = (struct smtp_verdict){ .refusal = STR_NONE };
	int r = b->checks ? filter_examine(b->filter, &in, a, &answer, err) : 0;
	if (r == 0 && b->checks)
		*out = (struct smtp_verdict){
			.refusal = answer.action == FILTER_REJECT ? answer.reply : STR_NONE,
			.lines = answer.head,
		};
	return r;
}

const struct smtp_backend smtp_backend = {
	.resolve = resolve,
	.find_stranger = find_stranger,
	.is_full = is_full,
	.find_name = find_name,
	.find_domain = find_domain,
	.login = login,
	.sign = sign,
	.examine = examine,
	.submit = submit,
};
