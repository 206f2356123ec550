#include "dns/dns_server.h"

#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/settings.h"
#include "dns/dns_ipc.h"
#include "dns/dns_server_private.h"
#include "dns/idna.h"

#define DNS_PORT	53
#define ANCHOR_FILE_MAX (256 * 1024)

struct dns_server dns_server;

void dns_server_config_from_settings(struct arena *a, struct dns_server_config *out)
{
	const struct settings *s = settings_get();

	*out = (struct dns_server_config){
		.servers = s->dns,
		.anchor = s->dns_trust_anchor,
		.hints = s->dns_root_hints,
		.hosts = settings_path(s, a, "/etc/hosts"),
		.resolv = settings_path(s, a, "/etc/resolv.conf"),
		.dnssec = s->dns_dnssec,
		.timeout = s->dns_timeout,
		.cache_size = s->dns_cache_size,
		.stale_max = s->dns_stale_max,
		.pending_max = s->dns_questions_max,
	};
}

/* A line begins with the name that its key is for; all else is libunbound's to read. */
static void note_anchors(struct str text)
{
	struct dns_server *s = &dns_server;

	STR_FOREACH_LINE (text, line) {
		struct str rest = line, word;
		if (s->anchor_count == ANCHORS_MAX || !line.n || ascii_is_wsp(line.p[0]) ||
		    !str_next_word(&rest, &word) || word.p[0] == ';')
			continue;
		if (dns_name_from_text(word, &s->anchors[s->anchor_count]) == 0)
			s->anchor_count++;
	}
}

/* Without a trust anchor nothing can be validated; that is said once and the server goes on. */
static void find_anchors(void)
{
	struct dns_server *s = &dns_server;
	auto_arena struct arena a = ARENA_INIT;
	struct str text;
	struct err err;

	if (s->config.dnssec == SETTING_DNSSEC_OFF)
		return;
	if (fd_read_file(s->config.anchor.p, &a, ANCHOR_FILE_MAX, &text, &err) == 0)
		note_anchors(text);
	else if (err.code != -ENOENT)
		log_event(LOG_DNS_ANCHOR_MISSING, LOG_REASON(&err));
	if (!s->anchor_count)
		log_event(LOG_DNS_ANCHOR_MISSING, LOG_STR("file", s->config.anchor));
}

static void find_hints(void)
{
	struct dns_server *s = &dns_server;

	if (s->forwarder_count || access(s->config.hints.p, R_OK) == 0)
		return;
	log_event(LOG_DNS_HINTS_MISSING, LOG_STR("file", s->config.hints));
	s->config.hints = STR_NONE;
}

static void take_resolv_conf(struct endpoint *out, size_t *count)
{
	struct dns_server *s = &dns_server;
	auto_arena struct arena a = ARENA_INIT;
	struct resolv_conf conf = { .server_count = 0 };
	struct str text;

	if (fd_read_file(s->config.resolv.p, &a, RESOLV_FILE_MAX, &text, NULL) == 0)
		resolv_conf_parse(text, &conf);
	memcpy(out, conf.servers, sizeof(conf.servers[0]) * conf.server_count);
	*count = conf.server_count;
}

/* The settings have been checked. */
static void find_forwarders(void)
{
	struct dns_server *s = &dns_server;
	struct str list = s->config.servers, word;

	if (str_eq(list, STR("system"))) {
		take_resolv_conf(s->forwarders, &s->forwarder_count);
		if (!s->forwarder_count)
			log_event(LOG_DNS_SYSTEM_MISSING, LOG_STR("file", s->config.resolv));
		return;
	}
	while (s->forwarder_count < FORWARDERS_MAX &&
	       endpoint_next(&list, DNS_PORT, &s->forwarders[s->forwarder_count], &word) > 0)
		s->forwarder_count++;
}

static struct dns_context_config context_config(bool validate)
{
	const struct dns_server *s = &dns_server;

	return (struct dns_context_config){
		.forwarders = s->forwarders,
		.forwarder_count = s->forwarder_count,
		.trust_anchor = validate && s->anchor_count ? s->config.anchor.p : NULL,
		.root_hints = s->config.hints.p,
		.cache_size = s->config.cache_size,
		.stale_max = s->config.stale_max,
		.questions_max = (unsigned)s->config.pending_max,
	};
}

/* The surroundings: who is not told of forwarders asks those that the host does. */
static int may_suspend open_slot(struct dns_slot *slot, struct err *err)
{
	struct dns_server *s = &dns_server;
	struct endpoint system[RESOLV_SERVERS_MAX];
	bool plain = slot == &s->plain;
	struct dns_context_config config = context_config(!plain);

	if (plain && !s->forwarder_count) {
		take_resolv_conf(system, &config.forwarder_count);
		config.forwarders = system;
		if (!config.forwarder_count)
			return err_set(err, -ENOENT, "%" STR_FMT " names no server",
				       STR_ARG(s->config.resolv));
	}
	slot->context = dns_context_open(&config, &s->fibers, err);
	return slot->context ? 0 : err->code;
}

static void may_suspend open_now(struct dns_slot *slot)
{
	struct err err;

	slot->state = SLOT_OPENING;
	if (open_slot(slot, &err) == 0) {
		slot->state = SLOT_OPEN;
	} else {
		slot->state = SLOT_FAILED;
		slot->trouble = arena_str(&dns_server.memory, str_from(err.text));
		if (err.code != -ECANCELED)
			log_event(LOG_DNS_FAILED, LOG_REASON(&err));
	}
	waitq_wake_all(&slot->opened);
}

int dns_slot_get(struct dns_slot *slot, int64_t deadline, struct dns_outcome *out)
{
	int r = 0;

	if (slot->state == SLOT_CLOSED)
		open_now(slot);
	while (slot->state == SLOT_OPENING && r == 0)
		r = waitq_wait(&slot->opened, "the resolver to be opened", deadline);
	if (slot->state == SLOT_OPEN)
		return 0;
	*out = (struct dns_outcome){
		.reply.status = DNS_TEMPFAIL,
		.reason = slot->state == SLOT_FAILED ? slot->trouble
						     : STR("the resolver is being opened"),
	};
	return r < 0 ? r : -ENOENT;
}

static void open_main(void *unused)
{
	struct dns_outcome ignored;
	(void)unused;

	(void)!dns_slot_get(&dns_server.world, LOOP_FOREVER, &ignored);
}

int dns_server_start(const struct dns_server_config *config, struct err *err)
{
	struct dns_server *s = &dns_server;

	*s = (struct dns_server){ .config = *config };
	group_init(&s->fibers);
	waitq_init(&s->world.opened);
	waitq_init(&s->plain.opened);
	find_forwarders();
	find_anchors();
	find_hints();
	return fiber_spawn(&s->fibers, "open", open_main, NULL) < 0
		       ? err_set(err, -EAGAIN, "too many fibers")
		       : 0;
}

void dns_server_stop(void)
{
	struct dns_server *s = &dns_server;

	group_done(&s->fibers);
	if (s->world.context)
		dns_context_close(s->world.context);
	if (s->plain.context)
		dns_context_close(s->plain.context);
	arena_done(&s->memory);
}

struct str dns_server_trouble(void)
{
	const struct dns_server *s = &dns_server;
	unsigned pending = 0;

	if (s->world.context)
		pending += dns_context_pending(s->world.context);
	if (s->plain.context)
		pending += dns_context_pending(s->plain.context);
	metric_set(METRIC_DNS_PENDING, pending);
	return s->world.state == SLOT_FAILED ? s->world.trouble : STR_NONE;
}

static void count_answer(enum dns_status status)
{
	static const enum metric metrics[] = {
		[DNS_FOUND] = METRIC_DNS_FOUND,	     [DNS_NODATA] = METRIC_DNS_NOTHING,
		[DNS_NXDOMAIN] = METRIC_DNS_NOTHING, [DNS_TEMPFAIL] = METRIC_DNS_TEMPFAIL,
		[DNS_BOGUS] = METRIC_DNS_BOGUS,
	};

	metric_add(metrics[status], 1);
}

/* One that is no name in any script stays as it is, and is not found. */
static struct str to_ascii(struct str name, struct arena *a)
{
	struct str ascii;

	return idna_to_ascii(name, a, &ascii) < 0 ? name : ascii;
}

static int may_suspend op_query(void *ctx, struct dns_query_in *in, struct arena *a,
				struct dns_query_out *out, struct err *err)
{
	struct dns_outcome o;
	(void)ctx;

	if (in->type == 0 || in->type > UINT16_MAX)
		return err_set(err, -EINVAL, "no type of DNS records: %u", in->type);
	int r = dns_ask_world(to_ascii(in->name, a), in->type, a, &o);
	if (r < 0)
		return err_set(err, r, "the resolver ends");
	count_answer(o.reply.status);
	*out = (struct dns_query_out){
		.status = (uint8_t)o.reply.status,
		.secure = o.secure,
		.name = o.reply.name.n ? o.reply.name : in->name,
		.ttl = o.reply.ttl,
		.reason = o.reason,
		.records = o.reply.records,
		.records_count = o.reply.count,
	};
	return 0;
}

static int may_suspend op_addresses(void *ctx, struct dns_addresses_in *in, struct arena *a,
				    struct dns_addresses_out *out, struct err *err)
{
	(void)ctx;
	struct str name = to_ascii(in->name, a);
	int r = in->local ? dns_find_local(name, a, out)
			  : dns_ask_addresses(dns_ask_world, name, a, out);
	if (r < 0)
		return err_set(err, r, "the resolver ends");
	count_answer(out->status);
	if (!out->name.n)
		out->name = in->name;
	return 0;
}

struct ipc_server dns_server_ipc(void)
{
	static const struct dns_ops ops = { .query = op_query, .addresses = op_addresses };

	return (struct ipc_server){ .service = &dns_service, .ops = &ops };
}
