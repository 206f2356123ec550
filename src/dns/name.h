/* Domain names: the bytes on the wire (RFC 1035 3.1) and their text (5.1).
 *
 * In text the last dot is left out, so that the root is empty; bytes that a host name has not are
 * written as \DDD, a dot within a label too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;

#define DNS_NAME_MAX  255 /* on the wire, with the length of the root */
#define DNS_LABEL_MAX 63

struct dns_name {
	uint8_t bytes[DNS_NAME_MAX]; /* labels with their lengths, letters in lower case */
	size_t n;
};

/* Read the name at *at, which moves behind it. `packet` is what pointers (RFC 1035 4.1.4) count
 * from; in RDATA that stands alone there are none, and one leads nowhere. 0 or -EBADMSG. */
int must_check dns_name_parse(struct str packet, size_t *at, struct dns_name *out);

/* 0, or -EINVAL: no name can look like this (a label too long or empty, too long as a whole, a
 * byte that is not printable). One dot at the end is allowed. */
int must_check dns_name_from_text(struct str text, struct dns_name *out);

/* Lives in `a`, with a NUL behind it. */
struct str dns_name_write(const struct dns_name *name, struct arena *a);

bool dns_name_eq(const struct dns_name *a, const struct dns_name *b);

/* Is the name the same as `parent` or below it? */
bool dns_name_is_within(const struct dns_name *name, const struct dns_name *parent);
