/* Little-endian integers in byte strings, and a cursor over bytes that are not trusted: after
 * the first thing that does not fit, it stays failed and everything it returns is empty. */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

static inline void bytes_put_u16(void *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void bytes_put_u32(void *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void bytes_put_u64(void *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static inline uint16_t bytes_u16(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t bytes_u32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t bytes_u64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

struct bytes_cursor {
	struct str rest;
	bool failed;
};

static inline struct str bytes_take(struct bytes_cursor *c, size_t n)
{
	if (c->failed || n > c->rest.n) {
		c->failed = true;
		return STR_NONE;
	}
	struct str taken = str_sub(c->rest, 0, n);
	c->rest = str_skip(c->rest, n);
	return taken;
}

static inline uint8_t bytes_take_u8(struct bytes_cursor *c)
{
	struct str s = bytes_take(c, 1);
	return c->failed ? 0 : (uint8_t)s.p[0];
}

static inline uint16_t bytes_take_u16(struct bytes_cursor *c)
{
	struct str s = bytes_take(c, 2);
	return c->failed ? 0 : bytes_u16(s.p);
}

static inline uint32_t bytes_take_u32(struct bytes_cursor *c)
{
	struct str s = bytes_take(c, 4);
	return c->failed ? 0 : bytes_u32(s.p);
}
