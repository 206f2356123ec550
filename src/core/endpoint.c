#include "core/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

static int parse_address(struct str text, struct endpoint *out)
{
	struct in6_addr bytes;

	if (text.n == 0 || text.n >= sizeof(out->address))
		return -EINVAL;
	snprintf(out->address, sizeof(out->address), "%" STR_FMT, STR_ARG(text));
	if (strlen(out->address) != text.n)
		return -EINVAL;
	out->v6 = inet_pton(AF_INET6, out->address, &bytes) == 1;
	return out->v6 || inet_pton(AF_INET, out->address, &bytes) == 1 ? 0 : -EINVAL;
}

static int parse_port(struct str text, struct endpoint *out)
{
	uint64_t port;

	if (str_to_u64(text, 65535, &port) < 0 || port == 0)
		return -EINVAL;
	out->port = (uint16_t)port;
	return 0;
}

int endpoint_parse(struct str text, uint16_t port, struct endpoint *out)
{
	struct endpoint e = { .port = port };
	struct str address = text, behind = STR_NONE;
	ssize_t end;

	if (str_starts(text, STR("["))) {
		end = str_find_byte(text, ']');
		if (end < 0)
			return -EINVAL;
		address = str_sub(text, 1, (size_t)end - 1);
		behind = str_skip(text, (size_t)end + 1);
		if (str_find_byte(address, ':') < 0 || (behind.n && behind.p[0] != ':'))
			return -EINVAL;
	} else if ((end = str_find_byte(text, ':')) >= 0 && end == str_rfind_byte(text, ':')) {
		address = str_sub(text, 0, (size_t)end);
		behind = str_skip(text, (size_t)end);
	}
	if (parse_address(address, &e) < 0 || (behind.n && parse_port(str_skip(behind, 1), &e) < 0))
		return -EINVAL;
	*out = e;
	return 0;
}

static bool is_separator(char c)
{
	return c == ',' || ascii_is_space(c);
}

int endpoint_next(struct str *list, uint16_t port, struct endpoint *out, struct str *word)
{
	size_t n = 0;

	while (list->n && is_separator(list->p[0]))
		*list = str_skip(*list, 1);
	if (list->n == 0)
		return 0;
	while (n < list->n && !is_separator(list->p[n]))
		n++;
	*word = str_sub(*list, 0, n);
	*list = str_skip(*list, n);
	int r = endpoint_parse(*word, port, out);
	return r < 0 ? r : 1;
}
