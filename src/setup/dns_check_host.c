/* The server itself: its name, its addresses, and what leads from these back to the name. */
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "core/settings.h"
#include "dns/dns_client.h"
#include "filter/spf.h"
#include "setup/dns_check.h"

/* Addresses that nobody else can reach: RFC 1918, RFC 6598, RFC 4193 and links. */
static bool is_private(struct str bytes)
{
	static const struct {
		unsigned char first, mask, second, second_mask;
		size_t size;
	} nets[] = {
		{ 10, 255, 0, 0, 4 },	   { 127, 255, 0, 0, 4 },	  { 172, 255, 16, 240, 4 },
		{ 192, 255, 168, 255, 4 }, { 169, 255, 254, 255, 4 },	  { 100, 255, 64, 192, 4 },
		{ 0xfc, 0xfe, 0, 0, 16 },  { 0xfe, 255, 0x80, 0xc0, 16 },
	};
	const unsigned char *b = (const unsigned char *)bytes.p;
	static const unsigned char loopback[16] = { [15] = 1 };

	for (size_t i = 0; i < ARRAY_LEN(nets); i++)
		if (bytes.n == nets[i].size && (b[0] & nets[i].mask) == nets[i].first &&
		    (b[1] & nets[i].second_mask) == nets[i].second)
			return true;
	return bytes.n == 16 && memcmp(b, loopback, 16) == 0;
}

static const char *type_of(struct str bytes)
{
	return bytes.n == 4 ? "A" : "AAAA";
}

static bool has(const struct dns_address_answer *found, struct str bytes)
{
	for (size_t i = 0; i < found->count; i++)
		if (str_eq(found->addresses[i].bytes, bytes))
			return true;
	return false;
}

/* What the DNS has of this kind beside ours. An address that an option names takes the place of the
 * others; whoever wants several names several. */
static void check_one_address(struct dns_check *c, const struct dns_address_answer *found,
			      struct str bytes, struct list *findings)
{
	struct str text = dns_check_address_text(c, bytes);
	bool there = has(found, bytes), unreachable = is_private(bytes);
	struct dns_finding *f = dns_finding_add(findings, c->a, "address",
						unreachable ? DNS_IS_WRONG
						: there	    ? DNS_IS_RIGHT
							    : DNS_IS_MISSING);

	dns_finding_say(f, c->a, "%" STR_FMT " %s %s%" STR_FMT, STR_ARG(c->host), type_of(bytes),
			there ? "" : "is not ", STR_ARG(text));
	if (unreachable)
		dns_finding_say(f, c->a, "others cannot reach this address");
	else if (!there)
		dns_finding_want(f, c->a, c->host, type_of(bytes), text);
}

void dns_check_address(struct dns_check *c, struct str host, struct list *findings)
{
	struct dns_address_answer found;

	if (dns_find_addresses(c->dns, host, false, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "address", host, &found.answer))
		return;
	if (!str_eq_nocase(found.answer.name, host) && found.count)
		dns_finding_say(dns_finding_add(findings, c->a, "address", DNS_IS_WRONG), c->a,
				"%" STR_FMT " is an alias of %" STR_FMT
				", which the name of a mail server must not be (RFC 2181 10.3)",
				STR_ARG(host), STR_ARG(found.answer.name));
	for (size_t i = 0; i < c->address_count; i++)
		check_one_address(c, &found, c->addresses[i], findings);
	if (!c->address_count)
		dns_finding_say(dns_finding_add(findings, c->a, "address", DNS_IS_MISSING), c->a,
				"%" STR_FMT " has no address; which it should have is said with "
				"--address",
				STR_ARG(host));
	for (size_t i = 0; c->addresses_given && i < found.count; i++) {
		struct str bytes = found.addresses[i].bytes;
		if (!dns_check_is_ours(c, bytes))
			dns_finding_say(dns_finding_add(findings, c->a, "address", DNS_IS_WRONG),
					c->a,
					"%" STR_FMT " %s %" STR_FMT
					" is there too, and is none of the addresses of --address",
					STR_ARG(host), type_of(bytes),
					STR_ARG(dns_check_address_text(c, bytes)));
	}
}

static void check_one_ptr(struct dns_check *c, struct str bytes, struct list *findings)
{
	struct str name = dns_reverse_name(bytes, c->a);
	struct str text = dns_check_address_text(c, bytes), others = STR_NONE;
	struct dns_text_answer found;
	bool there = false;

	if (dns_find_ptr(c->dns, bytes, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "ptr", text, &found.answer))
		return;
	for (size_t i = 0; i < found.count; i++) {
		there |= str_eq_nocase(found.text[i], c->host);
		others = found.text[i];
	}
	struct dns_finding *f = dns_finding_add(findings, c->a, "ptr",
						there	      ? DNS_IS_RIGHT
						: found.count ? DNS_IS_WRONG
							      : DNS_IS_MISSING);
	if (there) {
		dns_finding_say(f, c->a, "%" STR_FMT " is %" STR_FMT, STR_ARG(text),
				STR_ARG(c->host));
		return;
	}
	if (found.count)
		dns_finding_say(f, c->a, "%" STR_FMT " is %" STR_FMT ", not %" STR_FMT,
				STR_ARG(text), STR_ARG(others), STR_ARG(c->host));
	else
		dns_finding_say(f, c->a, "%" STR_FMT " has no name", STR_ARG(text));
	dns_finding_say(f, c->a,
			"who owns the address makes this record: your provider, as a rule");
	dns_finding_want(f, c->a, name, "PTR", c->host);
}

void dns_check_ptr(struct dns_check *c, struct str host, struct list *findings)
{
	(void)host;
	for (size_t i = 0; i < c->address_count; i++)
		check_one_ptr(c, c->addresses[i], findings);
	if (!c->address_count)
		dns_finding_say(dns_finding_add(findings, c->a, "ptr", DNS_IS_UNKNOWN), c->a,
				"without an address there is nothing to ask");
}

/* What the server says in EHLO: it must be a name of ours, and of mail without a sender (reports)
 * SPF looks at it. */
void dns_check_helo(struct dns_check *c, struct str host, struct list *findings)
{
	struct str name = c->set->helo_name;
	(void)host;

	int here = c->address_count ? dns_check_leads_here(c, name) : -1;
	if (here <= 0) {
		dns_finding_say(
			dns_finding_add(findings, c->a, "helo",
					here < 0 ? DNS_IS_UNKNOWN : DNS_IS_WRONG),
			c->a,
			here < 0 ? "where %" STR_FMT ", the name in EHLO, leads is not known"
				 : "%" STR_FMT ", the name in EHLO, does not lead to this server",
			STR_ARG(name));
		return;
	}
	for (size_t i = 0; i < c->address_count; i++) {
		const struct spf_question q = { .address = c->addresses[i],
						.helo = name,
						.receiver = c->host,
						.now = time(NULL) };
		struct spf_answer answer;
		if (spf_check_helo(&c->lookup, &q, c->a, &answer) < 0)
			return;
		bool none = answer.result == SPF_NONE;
		struct dns_finding *f =
			dns_finding_add(findings, c->a, "helo",
					answer.result == SPF_PASS	 ? DNS_IS_RIGHT
					: none				 ? DNS_IS_ADVISED
					: answer.result == SPF_TEMPERROR ? DNS_IS_UNKNOWN
									 : DNS_IS_WRONG);
		if (none)
			dns_finding_say(f, c->a,
					"%" STR_FMT
					" has no SPF record; reports have no other name "
					"that it could be about",
					STR_ARG(name));
		else
			dns_finding_say(f, c->a, "SPF of %" STR_FMT " for %" STR_FMT ": %s%s%s",
					STR_ARG(name),
					STR_ARG(dns_check_address_text(c, c->addresses[i])),
					spf_result_name(answer.result), answer.reason ? ", " : "",
					answer.reason ? answer.reason : "");
		if (none) {
			dns_finding_want(f, c->a, name, "TXT", STR("v=spf1 a -all"));
			return;
		}
	}
}
