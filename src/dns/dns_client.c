#include "dns/dns_client.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define REVERSE_MAX 80

/* Ask, and turn the failure to ask into an answer. */
static int may_suspend ask(struct ipc_client *dns, const struct dns_query_in *in, struct arena *a,
			   struct dns_query_out *out, struct dns_answer *answer)
{
	struct err err;
	int r = dns_query(dns, in, a, out, &err);

	if (r == -ECANCELED)
		return r;
	if (r < 0) {
		*out = (struct dns_query_out){ .records = NULL };
		*answer = (struct dns_answer){
			.status = DNS_TEMPFAIL,
			.name = in->name,
			.reason = arena_str(a, str_from(err.text)),
		};
		return 0;
	}
	*answer = (struct dns_answer){
		.status = out->status,
		.secure = out->secure,
		.name = out->name,
		.ttl = out->ttl,
		.reason = out->reason,
	};
	return 0;
}

static void say_malformed(struct dns_answer *answer)
{
	answer->status = DNS_TEMPFAIL;
	answer->secure = false;
	answer->reason = STR("a record of the answer is malformed");
}

/* Ask for records of a type and parse each into an element of a list. */
#define FIND(dns_type_, element, list, parse)                                                      \
	struct dns_query_in in = { .name = name, .type = (dns_type_) };                            \
	struct dns_query_out q;                                                                    \
                                                                                                   \
	out->count = 0;                                                                            \
	int r = ask(dns, &in, a, &q, &out->answer);                                                \
	if (r < 0)                                                                                 \
		return r;                                                                          \
	out->list = ARENA_NEW_ARRAY(a, element, q.records_count);                                  \
	for (size_t i = 0; i < q.records_count; i++) {                                             \
		struct str rdata = q.records[i].data;                                              \
		if ((parse) < 0) {                                                                 \
			say_malformed(&out->answer);                                               \
			return 0;                                                                  \
		}                                                                                  \
	}                                                                                          \
	out->count = q.records_count;                                                              \
	return 0

int dns_find_mx(struct ipc_client *dns, struct str name, struct arena *a, struct dns_mx_answer *out)
{
	FIND(DNS_MX, struct dns_mx, mx, dns_mx_parse(rdata, a, &out->mx[i]));
}

int dns_find_srv(struct ipc_client *dns, struct str name, struct arena *a,
		 struct dns_srv_answer *out)
{
	FIND(DNS_SRV, struct dns_srv, srv, dns_srv_parse(rdata, a, &out->srv[i]));
}

int dns_find_tlsa(struct ipc_client *dns, struct str name, struct arena *a,
		  struct dns_tlsa_answer *out)
{
	FIND(DNS_TLSA, struct dns_tlsa, tlsa, dns_tlsa_parse(rdata, &out->tlsa[i]));
}

int dns_find_caa(struct ipc_client *dns, struct str name, struct arena *a,
		 struct dns_caa_answer *out)
{
	FIND(DNS_CAA, struct dns_caa, caa, dns_caa_parse(rdata, &out->caa[i]));
}

int dns_find_txt(struct ipc_client *dns, struct str name, struct arena *a,
		 struct dns_text_answer *out)
{
	FIND(DNS_TXT, struct str, text, dns_txt_parse(rdata, a, &out->text[i]));
}

static int may_suspend find_targets(struct ipc_client *dns, struct str name, struct arena *a,
				    struct dns_text_answer *out)
{
	FIND(DNS_PTR, struct str, text, dns_target_parse(rdata, a, &out->text[i]));
}

int dns_find_ptr(struct ipc_client *dns, struct str address, struct arena *a,
		 struct dns_text_answer *out)
{
	return find_targets(dns, dns_reverse_name(address, a), a, out);
}

int dns_find_addresses(struct ipc_client *dns, struct str name, bool local, struct arena *a,
		       struct dns_address_answer *out)
{
	struct dns_addresses_in in = { .name = name, .local = local };
	struct dns_addresses_out q;
	struct err err;

	int r = dns_addresses(dns, &in, a, &q, &err);
	if (r == -ECANCELED)
		return r;
	if (r < 0) {
		*out = (struct dns_address_answer){
			.answer = { .status = DNS_TEMPFAIL,
				    .name = name,
				    .reason = arena_str(a, str_from(err.text)) },
		};
		return 0;
	}
	*out = (struct dns_address_answer){
		.answer = { .status = q.status,
			    .secure = q.secure,
			    .name = q.name,
			    .ttl = q.ttl,
			    .reason = q.reason },
		.addresses = q.addresses,
		.count = q.addresses_count,
	};
	return 0;
}

struct str dns_reverse_name(struct str address, struct arena *a)
{
	static const char hex[] = "0123456789abcdef";
	struct buf b;

	check(address.n == 4 || address.n == 16);
	buf_init(&b, a, REVERSE_MAX);
	for (size_t i = address.n; i-- > 0;) {
		uint8_t byte = (uint8_t)address.p[i];
		if (address.n == 4)
			buf_printf(&b, "%u.", byte);
		else
			buf_printf(&b, "%c.%c.", hex[byte & 15], hex[byte >> 4]);
	}
	buf_puts(&b, address.n == 4 ? "in-addr.arpa" : "ip6.arpa");
	(void)buf_cstr(&b);
	return buf_str(&b);
}
