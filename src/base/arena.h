/* Memory with a lifetime instead of owners: process ⊃ session ⊃ transaction ⊃ command.
 *
 * Allocation moves a pointer; everything is released at once by arena_reset (keeps the first
 * chunk for the next round) or arena_done. Only the owner of an arena resets it. Nothing is
 * allocated before the first use. Exhausted memory aborts the process; everything that a peer
 * can make grow is limited by its caller. */
#pragma once

#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	char *next;		    /* free space of the newest chunk */
	size_t left;
	size_t total; /* bytes held from the heap */
};

#define ARENA_INIT ((struct arena){ 0 })

/* A zeroed object or array of a type, aligned for it. */
#define ARENA_NEW(a, type)	    ((type *)arena_zalloc((a), sizeof(type)))
#define ARENA_NEW_ARRAY(a, type, n) ((type *)arena_zalloc_array((a), (n), sizeof(type)))

void arena_init(struct arena *a);
void arena_done(struct arena *a);
void arena_reset(struct arena *a);

/* Aligned to 16 bytes; never NULL. n == 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, alloc_size(2)));
void *arena_zalloc(struct arena *a, size_t n) __attribute__((malloc, alloc_size(2)));
void *arena_zalloc_array(struct arena *a, size_t n, size_t size);

/* Unaligned copy of the bytes plus a NUL that is not counted. */
struct str arena_str(struct arena *a, struct str s);
char *arena_cstr(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* arena_done as a scope guard: `auto_arena struct arena a = ARENA_INIT;` */
#define auto_arena __attribute__((cleanup(arena_done)))
