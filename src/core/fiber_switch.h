/* Private to core: stacks and the switch between them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Virtual size of a stack; pages are touched lazily. */
#define FIBER_STACK_SIZE ((size_t)256 * 1024)

struct fiber_context;

/* A context that runs `entry(arg)` on a stack of its own when first switched to. `entry` never
 * returns: it ends with fiber_context_leave. */
struct fiber_context *fiber_context_new(void (*entry)(void *arg), void *arg);

/* Into the context, back when it calls fiber_context_leave. Called by the scheduler only. */
void fiber_context_enter(struct fiber_context *c);

/* Back to the scheduler; returns when it enters again. `dying`: never to be entered again. */
void fiber_context_leave(struct fiber_context *c, bool dying);

/* Keeps the stack for the next fiber (a few of them). */
void fiber_context_free(struct fiber_context *c);
void fiber_context_release_all(void);

/* Give the pages below the running function's frame back to the kernel. */
void fiber_context_trim(struct fiber_context *c);
