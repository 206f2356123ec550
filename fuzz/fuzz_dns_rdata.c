/* Every parser takes any RDATA, and names that were read can be written and read again. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "dns/name.h"
#include "dns/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(struct str text)
{
	struct dns_name name;

	check(dns_name_from_text(text, &name) == 0);
}

static void check_text(struct str text, struct arena *a)
{
	struct dns_name name, again;

	if (dns_name_from_text(text, &name) < 0)
		return;
	check(name.n <= DNS_NAME_MAX);
	check(dns_name_from_text(dns_name_write(&name, a), &again) == 0);
	check(dns_name_eq(&name, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str rdata = str_of(data, size), text;
	struct dns_name name;
	struct dns_tlsa tlsa;
	struct dns_srv srv;
	struct dns_caa caa;
	struct dns_mx mx;
	size_t at = size / 2;

	if (dns_mx_parse(rdata, &a, &mx) == 0)
		check_name(mx.host);
	if (dns_srv_parse(rdata, &a, &srv) == 0)
		check_name(srv.target);
	if (dns_target_parse(rdata, &a, &text) == 0)
		check_name(text);
	if (dns_tlsa_parse(rdata, &tlsa) == 0)
		check(tlsa.data.n + 3 == size);
	if (dns_caa_parse(rdata, &caa) == 0)
		check(caa.tag.n + caa.value.n + 2 == size);
	if (dns_txt_parse(rdata, &a, &text) == 0)
		check(text.n < size);
	if (dns_name_parse(rdata, &at, &name) == 0)
		check(at <= size && name.n <= DNS_NAME_MAX);
	check_text(rdata, &a);
	return 0;
}
