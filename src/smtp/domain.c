#include "smtp/domain.h"

#include <arpa/inet.h>

#include "base/utf8.h"

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

static bool is_label(struct str s)
{
	if (s.n == 0 || s.n > LABEL_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (!ascii_is_alnum(c) && c != '-' && c != '_' && c < 0x80)
			return false;
	}
	return true;
}

bool smtp_domain_is_valid(struct str s)
{
	if (s.n == 0 || s.n > SMTP_DOMAIN_MAX || !utf8_is_valid(s))
		return false;

	struct str label, rest = s;
	bool more;
	do {
		more = str_cut(rest, '.', &label, &rest);
		if (!is_label(label))
			return false;
	} while (more);
	return true;
}

bool smtp_domain_is_literal(struct str s)
{
	if (s.n < 3 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;

	struct str address = str_sub(s, 1, s.n - 2);
	int family = AF_INET;
	if (str_starts_nocase(address, STR("IPv6:"))) {
		address = str_skip(address, 5);
		family = AF_INET6;
	}

	char text[INET6_ADDRSTRLEN];
	unsigned char binary[sizeof(struct in6_addr)];
	if (address.n >= sizeof(text) || memchr(address.p, '\0', address.n))
		return false;
	memcpy(text, address.p, address.n);
	text[address.n] = '\0';
	return inet_pton(family, text, binary) == 1;
}

bool smtp_domain_is_full(struct str s)
{
	if (smtp_domain_is_literal(s))
		return true;
	return smtp_domain_is_valid(s) && str_find_byte(s, '.') > 0;
}
