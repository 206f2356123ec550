#include "fake_dns.h"

#include <arpa/inet.h>

#include "base/arena.h"
#include "base/check.h"

#define RECORDS_MAX 64

struct str fake_dns_address(struct str text, struct arena *a)
{
	char bytes[16];
	const char *t = arena_cstr(a, text);

	if (inet_pton(AF_INET, t, bytes) == 1)
		return arena_str(a, str_of(bytes, 4));
	return inet_pton(AF_INET6, t, bytes) == 1 ? arena_str(a, str_of(bytes, 16)) : STR_NONE;
}

static enum dns_type type_of(struct str word)
{
	static const struct {
		struct str name;
		enum dns_type type;
	} types[] = {
		{ STR_INIT("A"), DNS_A },     { STR_INIT("AAAA"), DNS_AAAA },
		{ STR_INIT("MX"), DNS_MX },   { STR_INIT("PTR"), DNS_PTR },
		{ STR_INIT("TXT"), DNS_TXT },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(word, types[i].name))
			return types[i].type;
	check(false);
	return 0;
}

static bool is_name(enum dns_type type, struct str text, struct str wanted, struct arena *a)
{
	return type == DNS_PTR ? str_eq(fake_dns_address(text, a), wanted)
			       : str_eq_nocase(text, wanted);
}

static int find(void *ctx, enum dns_type type, struct str wanted, struct arena *a,
		struct lookup_answer *out)
{
	struct fake_dns *dns = ctx;

	dns->questions++;
	*out = (struct lookup_answer){ .status = DNS_NXDOMAIN };
	out->v = ARENA_NEW_ARRAY(a, struct str, RECORDS_MAX);
	STR_FOREACH_LINE (dns->zone, line) {
		struct str name, word, data;
		if (!str_cut(line, ' ', &name, &data))
			continue;
		str_cut(data, ' ', &word, &data);
		if (!is_name(type_of(word), name, wanted, a))
			continue;
		if (out->status == DNS_NXDOMAIN)
			out->status = DNS_NODATA;
		if (type_of(word) != type)
			continue;
		if (str_eq(data, STR("!"))) {
			*out = (struct lookup_answer){ .status = DNS_TEMPFAIL };
			return 0;
		}
		check(out->n < RECORDS_MAX);
		bool address = type == DNS_A || type == DNS_AAAA;
		out->v[out->n++] = address ? fake_dns_address(data, a) : data;
		out->status = DNS_FOUND;
	}
	return 0;
}

struct lookup fake_dns_lookup(struct fake_dns *dns)
{
	return (struct lookup){ find, dns };
}
