/* An owned, growing byte buffer with a maximum size by construction and a sticky failure:
 * append many things, look at buf_failed once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

struct arena;

struct buf {
	char *p;
	size_t n; /* bytes used */
	size_t cap;
	size_t max; /* never holds more than this */
	struct arena *arena;
	bool failed; /* something did not fit; n is unchanged since */
};

/* With an arena the bytes live as long as it does and buf_done is a no-op; without (NULL) they come
 * from the heap and buf_done frees them. */
void buf_init(struct buf *b, struct arena *a, size_t max);
void buf_done(struct buf *b);
#define auto_buf __attribute__((cleanup(buf_done)))

/* Forget the contents and the failure, keep the memory. */
void buf_clear(struct buf *b);

static inline bool buf_failed(const struct buf *b)
{
	return b->failed;
}

/* The contents; valid until the next append. */
static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}

/* Room for n more bytes, or NULL (and failed). The caller writes there and calls buf_added. */
char *must_check buf_space(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);

/* Appending what fits in the memory at hand is inline: responses are made of many small pieces. */
void buf_put_more(struct buf *b, const void *p, size_t n);
static inline void buf_put(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || b->failed || n > b->cap - b->n || n > b->max - b->n) {
		buf_put_more(b, p, n);
		return;
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void buf_put_str(struct buf *b, struct str s)
{
	buf_put(b, s.p, s.n);
}

static inline void buf_puts(struct buf *b, const char *cstr)
{
	buf_put(b, cstr, strlen(cstr));
}

static inline void buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_put_u64(struct buf *b, uint64_t v); /* decimal */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Remove n bytes from the front (moves the rest). */
void buf_consume(struct buf *b, size_t n);

/* NUL-terminate without counting the NUL; NULL when it does not fit. Valid until the next
 * append. */
const char *buf_cstr(struct buf *b);
