#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/asan.h"

#define ARENA_CHUNK_MIN ((size_t)2048)
#define ARENA_CHUNK_MAX ((size_t)65536)
#define ARENA_ALIGN	16

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* of data */
	_Alignas(ARENA_ALIGN) char data[];
};

void arena_init(struct arena *a)
{
	*a = ARENA_INIT;
}

static void chunk_free(struct arena_chunk *c)
{
	ASAN_UNPOISON_MEMORY_REGION(c->data, c->size);
	free(c);
}

void arena_done(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;
		a->chunks = c->older;
		chunk_free(c);
	}
	*a = ARENA_INIT;
}

void arena_reset(struct arena *a)
{
	if (!a->chunks)
		return;
	while (a->chunks->older) {
		struct arena_chunk *c = a->chunks;
		a->chunks = c->older;
		chunk_free(c);
	}

	/* A first chunk of one large object is not worth keeping. */
	if (a->chunks->size > ARENA_CHUNK_MAX) {
		arena_done(a);
		return;
	}
	a->next = a->chunks->data;
	a->left = a->chunks->size;
	a->total = a->chunks->size;
	ASAN_POISON_MEMORY_REGION(a->next, a->left);
}

static void arena_grow(struct arena *a, size_t need)
{
	size_t size = a->chunks ? a->total : ARENA_CHUNK_MIN - sizeof(struct arena_chunk);
	if (size > ARENA_CHUNK_MAX)
		size = ARENA_CHUNK_MAX;
	if (size < need)
		size = need;

	struct arena_chunk *c = malloc(sizeof(*c) + size);
	if (!c)
		check_no_memory();
	c->size = size;
	c->older = a->chunks;
	a->chunks = c;
	a->next = c->data;
	a->left = size;
	a->total += size;
	ASAN_POISON_MEMORY_REGION(a->next, a->left);
}

static char *arena_take(struct arena *a, size_t n, size_t align)
{
	check(n < SIZE_MAX / 2);
	size_t pad = -(uintptr_t)a->next & (align - 1);
	if (!a->chunks || a->left < n + pad) {
		arena_grow(a, n + align);
		pad = -(uintptr_t)a->next & (align - 1);
	}

	char *p = a->next + pad;
	a->next += n + pad;
	a->left -= n + pad;
	ASAN_UNPOISON_MEMORY_REGION(p, n);
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	return arena_take(a, n ? n : 1, ARENA_ALIGN);
}

void *arena_zalloc(struct arena *a, size_t n)
{
	return memset(arena_alloc(a, n), 0, n);
}

void *arena_zalloc_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	check(!__builtin_mul_overflow(n, size, &bytes));
	return arena_zalloc(a, bytes);
}

char *arena_cstr(struct arena *a, struct str s)
{
	char *p = arena_take(a, s.n + 1, 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	return (struct str){ arena_cstr(a, s), s.n };
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	check(n >= 0);
	char *p = arena_take(a, (size_t)n + 1, 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return (struct str){ p, (size_t)n };
}
