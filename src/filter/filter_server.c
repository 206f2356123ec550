#include "filter/filter_server.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/work.h"
#include "filter/dkim_keys.h"
#include "filter/dkim_sign.h"
#include "filter/dmarc_results.h"
#include "filter/filter_ipc.h"
#include "filter/filter_state.h"
#include "filter/message.h"
#include "filter/signing.h"

#define HEAD_MAX 65536

/* Public keys of others that are remembered, at about 3 KiB each. */
#define KEYS_MAX 2000

static void report_problem(const char *file, unsigned line, const char *text)
{
	if (line)
		log_event(LOG_CONFIG_LINE, LOG_CSTR("file", file), LOG_INT("line", line),
			  LOG_CSTR("reason", text));
	else
		log_event(LOG_CONFIG_LINE, LOG_CSTR("file", file), LOG_CSTR("reason", text));
}

static struct signing *load(const struct filter *f)
{
	const struct signing_source source = {
		.config_dir = f->config.config_dir,
		.opendkim = f->config.opendkim,
		.rspamd = f->config.rspamd,
		.problem = report_problem,
	};
	struct signing *s = signing_load(&source);

	if (s->key_count)
		log_event(LOG_DKIM_KEYS, LOG_INT("keys", s->key_count),
			  LOG_INT("rules", s->rule_count));
	return s;
}

struct filter *filter_new(const struct filter_config *config)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (!f)
		check_no_memory();
	f->config = *config;
	group_init(&f->fibers);
	f->resolver = ipc_client_new("resolver", &f->fibers);
	f->dns = lookup_resolver(f->resolver);
	f->keys = dkim_keys_new(KEYS_MAX);
	f->dmarc_results = dmarc_results_new(config->dir);
	f->signing = load(f);
	return f;
}

void filter_free(struct filter *f)
{
	ipc_client_close(f->resolver);
	group_done(&f->fibers);
	ipc_client_free(f->resolver);
	signing_unref(f->signing);
	dkim_keys_free(f->keys);
	dmarc_results_free(f->dmarc_results);
	free(f);
}

void filter_attach_resolver(struct filter *f, int fd)
{
	ipc_client_attach(f->resolver, fd);
}

void filter_reload(struct filter *f)
{
	struct signing *old = f->signing;

	f->signing = load(f);
	signing_unref(old);
}

/* Everything about one message happens in a thread: a large one takes its time. */
struct sign_job {
	const struct filter_sign_in *in;
	const struct filter_config *config;
	const struct signing *signing;
	struct arena *arena;
	struct buf head;
	struct str author;
	size_t signatures;
	struct err *err;
};

static void feed(void *ctx, struct str piece)
{
	dkim_sign_body(ctx, piece);
}

/* RFC 6376 3.5: d= is a domain name, whose letters may be of any case. */
static void write_signature(struct sign_job *j, const struct dkim_signer *signer,
			    const struct signing_key *key)
{
	struct dkim_identity id = { signing_domain(key, j->author), key->selector, &key->key,
				    time(NULL) };

	dkim_sign_write(signer, &id, &j->head);
	j->signatures++;
}

/* The keys of the author. Where the host has none, that of its domain signs for it: reports come
 * from MAILER-DAEMON at the host, and keys are made for domains. */
static size_t find_keys(struct sign_job *j, const struct signing_key **keys)
{
	const struct filter_config *config = j->config;
	size_t n = signing_find(j->signing, j->author, keys);
	ssize_t at = str_rfind_byte(j->author, '@');

	if (n || at < 0 || !str_eq_nocase(str_skip(j->author, (size_t)at + 1), config->server))
		return n;
	j->author =
		arena_printf(j->arena, "%" STR_FMT "@%" STR_FMT,
			     STR_ARG(str_sub(j->author, 0, (size_t)at)), STR_ARG(config->domain));
	return signing_find(j->signing, j->author, keys);
}

static int sign_with(struct sign_job *j, struct dkim_signer *signer, const struct message *m)
{
	const struct signing_key *keys[SIGNING_KEYS_PER_MESSAGE];

	j->author = message_author(&signer->fields, j->arena);
	size_t n = find_keys(j, keys);
	if (!n)
		return 0;
	int r = message_read_body(m, feed, signer, j->err);
	if (r < 0)
		return r;
	dkim_sign_body_end(signer);
	for (size_t i = 0; i < n; i++)
		write_signature(j, signer, keys[i]);
	return buf_failed(&j->head) ? err_set(j->err, -E2BIG, "signatures are too large") : 0;
}

static int run_sign(void *arg)
{
	struct sign_job *j = arg;
	struct dkim_signer signer;
	struct message m;

	int r = message_open(&m, j->in->body, j->in->body_size, j->arena, j->err);
	if (r == 0)
		r = message_put_head(&m, j->in->head, j->arena);
	if (r == 0)
		r = dkim_sign_begin(&signer, m.header, j->arena);
	if (r < 0)
		return r;
	r = sign_with(j, &signer, &m);
	dkim_sign_done(&signer);
	return r;
}

static int may_suspend sign(void *ctx, struct filter_sign_in *in, struct arena *a,
			    struct filter_sign_out *out, struct err *err)
{
	struct filter *f = ctx;
	struct signing *signing = signing_ref(f->signing);
	struct sign_job job = {
		.in = in, .config = &f->config, .signing = signing, .arena = a, .err = err
	};

	buf_init(&job.head, a, HEAD_MAX);
	/* Without a key nobody needs to read the message. */
	bool none = signing->rule_count == 0;
	int r = none ? 0 : work_run(run_sign, &job);
	signing_unref(signing);
	if (r < 0)
		return r;
	metric_add(METRIC_DKIM_SIGNED, job.signatures);
	out->head = buf_str(&job.head);
	out->none = none;
	return 0;
}

struct ipc_server filter_ipc_server(struct filter *f)
{
	static const struct filter_ops ops = { .sign = sign, .examine = filter_run_checks };

	return (struct ipc_server){ .service = &filter_service, .ops = &ops, .ctx = f };
}
