#include "filter/lookup.h"

#include <errno.h>

#include "base/arena.h"
#include "dns/dns_client.h"

static void take(struct lookup_answer *out, const struct dns_answer *answer, struct str *v,
		 size_t n)
{
	*out = (struct lookup_answer){ .status = answer->status, .secure = answer->secure };
	if (answer->status == DNS_BOGUS)
		out->status = DNS_TEMPFAIL;
	if (answer->status == DNS_FOUND) {
		out->v = v;
		out->n = n;
	}
}

/* One kind of addresses only: that the other cannot be found out is none of our business. */
static int may_suspend find_addresses(struct ipc_client *dns, enum dns_type type, struct str name,
				      struct arena *a, struct lookup_answer *out)
{
	struct dns_query_in in = { .name = name, .type = type };
	struct dns_query_out q;
	struct dns_answer answer = { .status = DNS_TEMPFAIL };
	size_t size = type == DNS_A ? 4 : 16, n = 0;

	int r = dns_query(dns, &in, a, &q, NULL);
	if (r < 0) {
		take(out, &answer, NULL, 0);
		return r == -ECANCELED ? r : 0;
	}
	answer.status = q.status;
	answer.secure = q.secure;
	struct str *v = ARENA_NEW_ARRAY(a, struct str, q.records_count);
	for (size_t i = 0; i < q.records_count; i++)
		if (q.records[i].data.n == size)
			v[n++] = q.records[i].data;
	take(out, &answer, v, n);
	return 0;
}

static int may_suspend find_mx(struct ipc_client *dns, struct str name, struct arena *a,
			       struct lookup_answer *out)
{
	struct dns_mx_answer mx;
	int r = dns_find_mx(dns, name, a, &mx);

	if (r < 0)
		return r;
	struct str *v = ARENA_NEW_ARRAY(a, struct str, mx.count);
	for (size_t i = 0; i < mx.count; i++)
		v[i] = mx.mx[i].host;
	take(out, &mx.answer, v, mx.count);
	return 0;
}

static int may_suspend find(void *ctx, enum dns_type type, struct str name, struct arena *a,
			    struct lookup_answer *out)
{
	struct dns_text_answer text;
	int r;

	switch (type) {
	case DNS_MX:
		return find_mx(ctx, name, a, out);
	case DNS_PTR:
		r = dns_find_ptr(ctx, name, a, &text);
		break;
	case DNS_TXT:
		r = dns_find_txt(ctx, name, a, &text);
		break;
	default:
		return find_addresses(ctx, type, name, a, out);
	}
	if (r == 0)
		take(out, &text.answer, text.text, text.count);
	return r;
}

struct lookup lookup_resolver(struct ipc_client *dns)
{
	return (struct lookup){ find, dns };
}
