#include "dns/context.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <unbound-event.h>
#include <unbound.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/work.h"
#include "dns/event_base.h"

#define CLASS_IN 1

/* Reading zone data libunbound has lines of 64 KiB on its stack, more than a fiber's holds. */
#define OPEN_STACK_SIZE (2u << 20)

/* A client is answered with what was true before when it has waited this long (RFC 8767 5). */
#define STALE_AFTER_MS "1800"

struct dns_context {
	struct ub_ctx *ub;
	struct event_base *base;
	struct list questions;
	unsigned pending, questions_max;
	struct waitq room;
	FILE *messages; /* where libunbound complains */
};

struct question {
	struct list link;
	struct dns_context *context;
	struct fiber *asker; /* NULL: gone */
	bool done;
	uint32_t type;
	struct arena *arena; /* the asker's, as is... */
	struct dns_outcome *out;
};

/* What libunbound has complained about and is not in the log yet. It may be in a thread that cannot
 * log, while the loop waits for it. */
static struct {
	char text[4096];
	size_t n;
} complaints;

static ssize_t take_complaint(void *unused, const char *text, size_t n)
{
	size_t room = sizeof(complaints.text) - complaints.n;
	(void)unused;

	memcpy(complaints.text + complaints.n, text, n < room ? n : room);
	complaints.n += n < room ? n : room;
	return (ssize_t)n;
}

static void log_complaints(void)
{
	struct str text = { complaints.text, complaints.n };

	complaints.n = 0;
	STR_FOREACH_LINE (text, line)
		log_event(LOG_DNS_LIBRARY, LOG_STR("text", line));
}

struct option {
	const char *name, *value;
};

/* The same for every context. */
static const struct option common_options[] = {
	/* One thread uses them: nothing to spread over slabs. */
	{ "msg-cache-slabs:", "1" },
	{ "rrset-cache-slabs:", "1" },
	{ "infra-cache-slabs:", "1" },
	{ "key-cache-slabs:", "1" },
	{ "infra-cache-numhosts:", "2000" },
	{ "outgoing-range:", "512" },
	{ "num-queries-per-thread:", "1024" },
	{ "outgoing-num-tcp:", "20" },
	{ "msg-buffer-size:", "65552" },
	/* No fragments (RFC 9715). */
	{ "edns-buffer-size:", "1232" },
	{ "prefer-ip4:", "yes" },
	{ "qname-minimisation:", "yes" },
	{ "harden-below-nxdomain:", "yes" },
	{ "rrset-roundrobin:", "yes" },
	/* Five attempts double from here: who stalls for a second or two has not failed. */
	{ "infra-cache-min-rtt:", "200" },
	/* A server that was away is tried again soon, and meanwhile a question fails quickly. */
	{ "infra-keep-probing:", "yes" },
	{ "infra-host-ttl:", "60" },
	{ "infra-cache-max-rtt:", "4000" },
	{ "cache-max-ttl:", "86400" },
	{ "cache-max-negative-ttl:", "900" },
	{ "serve-expired-client-timeout:", STALE_AFTER_MS },
	{ "serve-expired-reply-ttl:", "30" },
};

/* Servers that the operator names may be on this host, and know names that the world has not. */
static const struct option forwarder_options[] = {
	{ "do-not-query-localhost:", "no" },
	{ "unblock-lan-zones:", "yes" },
	{ "insecure-lan-zones:", "yes" },
};

/* RFC 6761 says that nobody has to ask for these; a server that is named for it may know them. */
static const char *const asked_of_forwarders[] = { "test.", "invalid.", "home.arpa." };

static void on_answer(void *arg, int rcode, void *packet, int n, int sec, char *why, int limited);

static int set_option(struct dns_context *c, const char *name, const char *value, struct err *err)
{
	int r = ub_ctx_set_option(c->ub, name, value);

	return r == 0 ? 0
		      : err_set(err, -EINVAL, "libunbound: %s %s: %s", name, value, ub_strerror(r));
}

static int set_options(struct dns_context *c, const struct option *o, size_t n, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = set_option(c, o[i].name, o[i].value, err);
	return r;
}

static int set_number(struct dns_context *c, const char *name, int64_t value, struct err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return set_option(c, name, text, err);
}

/* Records take more room than the messages that name them. */
static int set_caches(struct dns_context *c, const struct dns_context_config *config,
		      struct err *err)
{
	int64_t eighth = config->cache_size / 8;

	int r = set_number(c, "rrset-cache-size:", eighth * 4, err);
	if (r == 0)
		r = set_number(c, "msg-cache-size:", eighth * 2, err);
	if (r == 0)
		r = set_number(c, "key-cache-size:", eighth, err);
	if (r == 0)
		r = set_number(c, "neg-cache-size:", eighth, err);
	if (r == 0)
		r = set_option(c, "serve-expired:", config->stale_max ? "yes" : "no", err);
	if (r == 0 && config->stale_max)
		r = set_number(c, "serve-expired-ttl:", config->stale_max / 1000, err);
	return r;
}

static int set_forwarders(struct dns_context *c, const struct dns_context_config *config,
			  struct err *err)
{
	for (size_t i = 0; i < config->forwarder_count; i++) {
		const struct endpoint *e = &config->forwarders[i];
		char text[INET6_ADDRSTRLEN + 8];
		snprintf(text, sizeof(text), "%s@%u", e->address, e->port);
		int r = ub_ctx_set_fwd(c->ub, text);
		if (r != 0)
			return err_set(err, -EINVAL, "libunbound: forwarder %s: %s", text,
				       ub_strerror(r));
	}
	return config->forwarder_count
		       ? set_options(c, forwarder_options, ARRAY_LEN(forwarder_options), err)
		       : 0;
}

static int configure(struct dns_context *c, const struct dns_context_config *config,
		     struct err *err)
{
	int r = set_options(c, common_options, ARRAY_LEN(common_options), err);
	if (r == 0)
		r = set_caches(c, config, err);
	if (r == 0)
		r = set_forwarders(c, config, err);
	if (r == 0)
		r = set_option(c, "module-config:",
			       config->trust_anchor ? "validator iterator" : "iterator", err);
	if (r == 0 && config->trust_anchor)
		r = set_option(c, "trust-anchor-file:", config->trust_anchor, err);
	if (r == 0 && config->root_hints && !config->forwarder_count)
		r = set_option(c, "root-hints:", config->root_hints, err);
	return r;
}

/* The first question makes libunbound read and check everything; it has the answer to this one
 * built in. */
static int finish(struct dns_context *c, const struct dns_context_config *config, struct err *err)
{
	int r = 0;

	for (size_t i = 0; config->forwarder_count && i < ARRAY_LEN(asked_of_forwarders) && r == 0;
	     i++)
		r = ub_ctx_zone_remove(c->ub, asked_of_forwarders[i]);
	if (r == 0)
		r = ub_resolve_event(c->ub, "localhost", DNS_A, CLASS_IN, NULL, on_answer, NULL);
	return r == 0 ? 0 : err_set(err, -EIO, "libunbound: %s", ub_strerror(r));
}

struct open_job {
	const struct dns_context_config *config;
	struct dns_context *context;
	struct err *err;
	int result;
};

static void *open_in_thread(void *arg)
{
	struct open_job *j = arg;
	struct dns_context *c = j->context;

	c->ub = ub_ctx_create_ub_event(event_base_handle(c->base));
	if (!c->ub)
		check_no_memory();
	ub_ctx_debugout(c->ub, c->messages);
	j->result = configure(c, j->config, j->err);
	if (j->result == 0)
		j->result = finish(c, j->config, j->err);
	return NULL;
}

/* A thread of its own, for its stack; the pool's thread waits for it, and the loop does not. */
static int open_job(void *arg)
{
	struct open_job *j = arg;
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, OPEN_STACK_SIZE);
	int r = pthread_create(&thread, &attr, open_in_thread, j);
	pthread_attr_destroy(&attr);
	if (r != 0)
		return err_set(j->err, -r, "thread: error %d", r);
	pthread_join(thread, NULL);
	return j->result;
}

struct dns_context *dns_context_open(const struct dns_context_config *config, struct group *g,
				     struct err *err)
{
	static const cookie_io_functions_t functions = { .write = take_complaint };
	struct dns_context *c = calloc(1, sizeof(*c));
	struct open_job j = { .config = config, .context = c, .err = err };

	if (!c)
		check_no_memory();
	list_init(&c->questions);
	waitq_init(&c->room);
	c->questions_max = config->questions_max;
	c->base = event_base_new();
	c->messages = fopencookie(NULL, "w", functions);
	if (!c->messages)
		check_no_memory();
	setvbuf(c->messages, NULL, _IOLBF, 0);

	int r = work_run(open_job, &j);
	if (r == 0 && fiber_is_cancelled())
		r = err_set(err, -ECANCELED, "the resolver ends");
	if (r == 0 && event_base_start(c->base, g) < 0)
		r = err_set(err, -EAGAIN, "too many fibers");
	log_complaints();
	if (r < 0) {
		dns_context_close(c);
		return NULL;
	}
	return c;
}

void dns_context_close(struct dns_context *c)
{
	if (c->ub)
		ub_ctx_delete(c->ub);
	/* Only those are left whose askers have gone. */
	for (struct list *l; (l = list_shift(&c->questions));)
		free(LIST_ITEM(l, struct question, link));
	event_base_free(c->base);
	fclose(c->messages);
	free(c);
}

/* Which of the status of libunbound's callback. */
enum {
	SEC_INSECURE,
	SEC_BOGUS,
	SEC_SECURE
};

static void say_failure(struct dns_outcome *out, enum dns_status status, struct str reason)
{
	*out = (struct dns_outcome){ .reply = { .status = status }, .reason = reason };
}

static void read_answer(struct question *q, int rcode, struct str packet, int sec, const char *why)
{
	struct dns_outcome *out = q->out;

	if (sec == SEC_BOGUS) {
		say_failure(out, DNS_BOGUS,
			    why ? arena_str(q->arena, str_from(why)) : STR("DNSSEC: bogus"));
		return;
	}
	if (rcode != 0 || packet.n == 0) {
		say_failure(out, DNS_TEMPFAIL,
			    STR("no server for the name gave a usable answer (SERVFAIL)"));
		return;
	}
	int r = dns_packet_parse(packet, q->type, q->arena, &out->reply);
	if (r < 0)
		say_failure(out, DNS_TEMPFAIL,
			    r == -E2BIG ? STR("the answer has too many records")
					: STR("the answer is malformed, or an error"));
	else
		out->secure = sec == SEC_SECURE;
}

static void forget(struct question *q)
{
	struct dns_context *c = q->context;

	list_remove(&q->link);
	c->pending--;
	waitq_wake_one(&c->room);
	free(q);
}

/* From within libunbound: nothing may wait here. */
static void on_answer(void *arg, int rcode, void *packet, int n, int sec, char *why, int limited)
{
	struct question *q = arg;
	(void)limited;

	if (!q) /* nobody wants to know */
		return;
	if (!q->asker) {
		forget(q);
		return;
	}
	read_answer(q, rcode, packet && n > 0 ? str_of(packet, (size_t)n) : STR_NONE, sec, why);
	q->done = true;
	fiber_wake(q->asker);
}

static int may_suspend wait_for_room(struct dns_context *c, int64_t deadline)
{
	int r = 0;

	while (c->pending >= c->questions_max && r == 0)
		r = waitq_wait(&c->room, "room for a question", deadline);
	return r;
}

static int may_suspend wait_for_answer(struct question *q, int64_t deadline)
{
	int r = 0;

	while (!q->done && r == 0)
		r = fiber_park("an answer of the DNS", deadline);
	if (q->done) {
		forget(q);
		return 0;
	}
	q->asker = NULL;
	return r;
}

static struct question *new_question(struct dns_context *c, uint32_t type, struct arena *a,
				     struct dns_outcome *out)
{
	struct question *q = malloc(sizeof(*q));

	if (!q)
		check_no_memory();
	*q = (struct question){
		.context = c, .asker = fiber_self(), .type = type, .arena = a, .out = out
	};
	list_append(&c->questions, &q->link);
	c->pending++;
	return q;
}

static int begin(struct question *q, const char *name)
{
	NO_SUSPEND_SCOPE;

	return ub_resolve_event(q->context->ub, name, (int)q->type, CLASS_IN, q, on_answer, NULL);
}

int dns_context_ask(struct dns_context *c, const struct dns_question *question, struct arena *a,
		    struct dns_outcome *out)
{
	*out = (struct dns_outcome){ .reply.status = DNS_TEMPFAIL };
	int r = wait_for_room(c, question->deadline);
	if (r < 0) {
		out->reason = STR("too many questions are in flight");
		return r;
	}

	struct question *q = new_question(c, question->type, a, out);
	r = begin(q, question->name.n ? arena_cstr(a, question->name) : ".");
	if (r != 0) {
		forget(q);
		out->reason = str_from(ub_strerror(r));
		log_complaints();
		return 0;
	}
	bool cached = q->done;
	r = wait_for_answer(q, question->deadline);
	if (r < 0)
		out->reason = STR("no answer in time");
	out->cached = cached;
	log_complaints();
	return r;
}

unsigned dns_context_pending(const struct dns_context *c)
{
	return c->pending;
}
