#include "smtp/peer_name.h"

#include <arpa/inet.h>
#include <errno.h>

#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "dns/dns_client.h"
#include "smtp/domain.h"
#include "smtp/policy.h"
#include "smtp/session.h"

/* From the beginning of the session. Later than that nobody waits for it. */
#define NAME_MS 5000

/* Names of one address that are followed. */
#define NAMES_MAX 4

static struct str bytes_of(const char *address, struct arena *a)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, address, bytes) == 1)
		return arena_str(a, str_of(bytes, 4));
	if (inet_pton(AF_INET6, address, bytes) == 1)
		return arena_str(a, str_of(bytes, 16));
	return STR_NONE;
}

/* A host's name, for the log and the header: nothing else, and no address that poses as one. */
static bool is_host_name(struct str name)
{
	return smtp_domain_is_valid(name) && str_is_ascii(name) && str_find_byte(name, '.') > 0 &&
	       !ascii_is_digit((unsigned char)name.p[name.n - 1]);
}

static int may_suspend check_name(struct ipc_client *dns, struct str name, struct str address,
				  struct arena *a, enum filter_iprev *out)
{
	struct dns_query_in in = { .name = name, .type = address.n == 4 ? DNS_A : DNS_AAAA };
	struct dns_query_out q;

	int r = dns_query(dns, &in, a, &q, NULL);
	*out = FILTER_IPREV_TEMPERROR;
	if (r < 0)
		return r == -ECANCELED ? r : 0;
	if (q.status != DNS_TEMPFAIL && q.status != DNS_BOGUS)
		*out = FILTER_IPREV_FAIL;
	for (size_t i = 0; q.status == DNS_FOUND && i < q.records_count; i++)
		if (str_eq(q.records[i].data, address))
			*out = FILTER_IPREV_PASS;
	return 0;
}

int smtp_peer_name_find(struct ipc_client *dns, const char *address, struct arena *a,
			struct smtp_peer_name *out)
{
	struct str bytes = bytes_of(address, a);
	struct dns_text_answer names;
	bool undecided = false;

	*out = (struct smtp_peer_name){ .result = FILTER_IPREV_TEMPERROR };
	if (!bytes.n)
		return 0;
	int r = dns_find_ptr(dns, bytes, a, &names);
	if (r < 0 || names.answer.status == DNS_TEMPFAIL || names.answer.status == DNS_BOGUS)
		return r;
	for (size_t i = 0; i < names.count && i < NAMES_MAX; i++) {
		enum filter_iprev result = FILTER_IPREV_FAIL;
		if (is_host_name(names.text[i]))
			r = check_name(dns, names.text[i], bytes, a, &result);
		if (r < 0)
			return r;
		if (result == FILTER_IPREV_PASS) {
			*out = (struct smtp_peer_name){ result, names.text[i] };
			return 0;
		}
		undecided |= result == FILTER_IPREV_TEMPERROR;
	}
	if (!names.count)
		out->result = FILTER_IPREV_PERMERROR;
	else if (!undecided)
		out->result = FILTER_IPREV_FAIL;
	return 0;
}

static void find(void *arg)
{
	struct smtp_session *s = arg;
	auto_arena struct arena a = ARENA_INIT;
	const char *address = s->client->address;
	struct smtp_peer_name found;

	int64_t limit = fiber_limit_begin(loop_deadline(NAME_MS));
	int r = s->svc->backend->find_name(s->svc->ctx, address, &a, &found);
	fiber_limit_end(limit);
	if (r < 0)
		return;
	s->name.result = found.result;
	if (found.result != FILTER_IPREV_PASS)
		return;
	s->name.name = arena_str(&s->arena, found.name);
	s->client_name = arena_cstr(&s->arena, found.name);
	s->peer = arena_printf(&s->arena, "%s[%s]", s->client_name, address).p;
	log_context_set(s->log, LOG_CSTR("client", s->peer));
}

void smtp_peer_name_begin(struct smtp_session *s)
{
	if (!s->svc->backend->find_name || s->client->port == SMTP_PORT_LOCAL ||
	    smtp_is_loopback(s->client->address))
		return;
	s->name.result = FILTER_IPREV_TEMPERROR;
	(void)!fiber_spawn(&s->lookups, "client name", find, s);
}

void smtp_peer_name_wait(struct smtp_session *s)
{
	(void)!group_join(&s->lookups, LOOP_FOREVER);
}
