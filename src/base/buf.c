#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define BUF_CAP_MIN 64

void buf_init(struct buf *b, struct arena *a, size_t max)
{
	*b = (struct buf){ .arena = a, .max = max };
}

void buf_done(struct buf *b)
{
	if (!b->arena)
		free(b->p);
	*b = (struct buf){ .arena = b->arena, .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

static void buf_grow(struct buf *b, size_t cap)
{
	if (b->arena) {
		char *p = arena_alloc(b->arena, cap);
		if (b->n)
			memcpy(p, b->p, b->n);
		b->p = p;
	} else {
		char *p = realloc(b->p, cap);
		if (!p)
			check_no_memory();
		b->p = p;
	}
	b->cap = cap;
}

/* Room for n more bytes, whatever the maximum says. */
static void buf_reserve(struct buf *b, size_t n)
{
	if (n <= b->cap - b->n && b->p)
		return;

	size_t need = b->n + n;
	size_t cap = b->cap < SIZE_MAX / 2 ? b->cap * 2 : need;
	if (cap > b->max)
		cap = b->max;
	if (cap < BUF_CAP_MIN)
		cap = BUF_CAP_MIN;
	buf_grow(b, cap > need ? cap : need);
}

char *buf_space(struct buf *b, size_t n)
{
	if (b->failed || n > b->max - b->n) {
		b->failed = true;
		return NULL;
	}
	buf_reserve(b, n);
	return b->p + b->n;
}

void buf_added(struct buf *b, size_t n)
{
	check(n <= b->cap - b->n);
	b->n += n;
}

void buf_put_more(struct buf *b, const void *p, size_t n)
{
	char *to = buf_space(b, n);
	if (!to || n == 0)
		return;
	memcpy(to, p, n);
	b->n += n;
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_put(b, digits + at, sizeof(digits) - at);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	size_t room = b->cap - b->n;
	int n = vsnprintf(b->p ? b->p + b->n : NULL, b->p ? room : 0, fmt, ap);
	va_end(ap);
	check(n >= 0);
	if (b->failed || (b->p && (size_t)n < room && (size_t)n <= b->max - b->n)) {
		b->n += b->failed ? 0 : (size_t)n;
	} else if (b->max - b->n < (size_t)n) {
		b->failed = true;
	} else {
		/* vsnprintf wants room for its NUL, which is not part of the contents. */
		buf_reserve(b, (size_t)n + 1);
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_consume(struct buf *b, size_t n)
{
	check(n <= b->n);
	b->n -= n;
	if (b->n && n)
		memmove(b->p, b->p + n, b->n);
}

const char *buf_cstr(struct buf *b)
{
	if (b->failed)
		return NULL;
	buf_reserve(b, 1);
	b->p[b->n] = '\0';
	return b->p;
}
