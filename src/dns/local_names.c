#include "dns/local_names.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/arena.h"

#define DNS_PORT 53

static struct str without_comment(struct str line)
{
	struct str before, after;

	str_cut(line, '#', &before, &after);
	str_cut(before, ';', &line, &after);
	return line;
}

static void take_search(struct str rest, struct resolv_conf *out)
{
	struct str word;

	/* The last such line counts. */
	out->search_count = 0;
	while (out->search_count < RESOLV_SEARCH_MAX && str_next_word(&rest, &word)) {
		while (str_ends(word, STR(".")))
			word.n--;
		if (word.n)
			out->search[out->search_count++] = word;
	}
}

static void take_options(struct str rest, struct resolv_conf *out)
{
	uint64_t n;

	for (struct str word; str_next_word(&rest, &word);) {
		if (!str_starts(word, STR("ndots:")))
			continue;
		if (str_to_u64(str_skip(word, 6), UINT32_MAX, &n) == 0)
			out->ndots = n < RESOLV_NDOTS_MAX ? (unsigned)n : RESOLV_NDOTS_MAX;
	}
}

void resolv_conf_parse(struct str text, struct resolv_conf *out)
{
	*out = (struct resolv_conf){ .ndots = 1 };
	STR_FOREACH_LINE (text, line) {
		struct str rest = without_comment(line), key, word;
		if (!str_next_word(&rest, &key))
			continue;
		if (str_eq(key, STR("nameserver")) && out->server_count < RESOLV_SERVERS_MAX &&
		    str_next_word(&rest, &word) &&
		    endpoint_parse(word, DNS_PORT, &out->servers[out->server_count]) == 0)
			out->server_count++;
		else if (str_eq(key, STR("search")) || str_eq(key, STR("domain")))
			take_search(rest, out);
		else if (str_eq(key, STR("options")))
			take_options(rest, out);
	}
}

struct str address_bytes(struct str text, struct arena *a)
{
	char buf[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
		text = str_sub(text, 1, text.n - 2);
	if (str_starts_nocase(text, STR("IPv6:"))) /* RFC 5321 4.1.3 */
		text = str_skip(text, 5);
	if (text.n == 0 || text.n >= sizeof(buf))
		return STR_NONE;
	memcpy(buf, text.p, text.n);
	buf[text.n] = '\0';
	if (inet_pton(AF_INET, buf, bytes) == 1)
		return arena_str(a, str_of(bytes, 4));
	if (inet_pton(AF_INET6, buf, bytes) == 1)
		return arena_str(a, str_of(bytes, 16));
	return STR_NONE;
}

static bool line_names(struct str rest, struct str name)
{
	for (struct str word; str_next_word(&rest, &word);)
		if (str_eq_nocase(word, name))
			return true;
	return false;
}

size_t hosts_find(struct str text, struct str name, struct arena *a, struct dns_address **out)
{
	size_t n = 0;

	*out = NULL;
	STR_FOREACH_LINE (text, line) {
		struct str rest = without_comment(line), word;
		if (n == HOSTS_ADDRESSES_MAX || !str_next_word(&rest, &word) ||
		    !line_names(rest, name))
			continue;
		struct str bytes = address_bytes(word, a);
		if (!bytes.n)
			continue;
		if (!*out)
			*out = ARENA_NEW_ARRAY(a, struct dns_address, HOSTS_ADDRESSES_MAX);
		(*out)[n++].bytes = bytes;
	}
	return n;
}
