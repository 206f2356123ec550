/* A stack is entered once with makecontext; after that two stacks change places by
 * _setjmp/_longjmp, which costs no system call. Sanitizer builds use swapcontext
 * throughout: AddressSanitizer takes a longjmp for an unwinding and would forget the frames
 * of the stack it leaves. */

/* FORTIFY's longjmp check takes a jump to another stack for an attack. */
#undef _FORTIFY_SOURCE

#include "core/fiber_switch.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/asan.h"
#include "base/check.h"
#include "core/fiber.h"

#ifdef WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#define SWITCH_BY_UCONTEXT 1
#endif

/* A stack that is kept costs the pages that were touched of it, a new one two calls and page
 * faults. */
#define STACKS_KEPT_MAX 512

static unsigned stacks_kept = 64;

struct fiber_context {
	char *stack; /* lowest usable byte; the guard page is below */
	void (*entry)(void *arg);
	void *arg;
	bool entered;
	bool dying;
#ifdef SWITCH_BY_UCONTEXT
	ucontext_t inside, outside;
	void *fake_inside, *fake_outside;
	const void *outer_stack;
	size_t outer_size;
#else
	jmp_buf inside, outside;
#endif
};

static char *kept_stacks[STACKS_KEPT_MAX];
static unsigned kept_count;

static size_t page_size(void)
{
	static size_t size;
	if (!size)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

static char *stack_new(void)
{
	if (kept_count)
		return kept_stacks[--kept_count];

	size_t guard = page_size();
	char *p = mmap(NULL, guard + FIBER_STACK_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (p == MAP_FAILED)
		check_no_memory();
	check(mprotect(p, guard, PROT_NONE) == 0);
	return p + guard;
}

static void stack_unmap(char *stack)
{
	size_t guard = page_size();
	munmap(stack - guard, guard + FIBER_STACK_SIZE);
}

static void stack_free(char *stack)
{
	ASAN_UNPOISON_MEMORY_REGION(stack, FIBER_STACK_SIZE);
	if (kept_count < stacks_kept)
		kept_stacks[kept_count++] = stack;
	else
		stack_unmap(stack);
}

struct fiber_context *fiber_context_new(void (*entry)(void *arg), void *arg)
{
	struct fiber_context *c = calloc(1, sizeof(*c));
	if (!c)
		check_no_memory();
	c->stack = stack_new();
	c->entry = entry;
	c->arg = arg;
	return c;
}

void fiber_context_free(struct fiber_context *c)
{
	stack_free(c->stack);
	free(c);
}

void fiber_keep_stacks(unsigned n)
{
	stacks_kept = n < STACKS_KEPT_MAX ? n : STACKS_KEPT_MAX;
}

void fiber_context_release_all(void)
{
	while (kept_count)
		stack_unmap(kept_stacks[--kept_count]);
}

/* makecontext passes ints: the pointer travels in two halves. */
static void first_entry(unsigned high, unsigned low);

static void prepare(struct fiber_context *c, ucontext_t *uc)
{
	uintptr_t p = (uintptr_t)c;

	check(getcontext(uc) == 0);
	uc->uc_stack.ss_sp = c->stack;
	uc->uc_stack.ss_size = FIBER_STACK_SIZE;
	uc->uc_link = NULL;
	makecontext(uc, (void (*)(void))first_entry, 2, (unsigned)(p >> 32), (unsigned)p);
}

static struct fiber_context *context_from_halves(unsigned high, unsigned low)
{
	return (struct fiber_context *)((uintptr_t)high << 32 | low);
}

#ifdef SWITCH_BY_UCONTEXT

static void first_entry(unsigned high, unsigned low)
{
	struct fiber_context *c = context_from_halves(high, low);

	__sanitizer_finish_switch_fiber(NULL, &c->outer_stack, &c->outer_size);
	c->entry(c->arg);
	check(!"a fiber's entry returned");
}

void fiber_context_enter(struct fiber_context *c)
{
	if (!c->entered) {
		c->entered = true;
		prepare(c, &c->inside);
	}
	__sanitizer_start_switch_fiber(&c->fake_outside, c->stack, FIBER_STACK_SIZE);
	swapcontext(&c->outside, &c->inside);
	__sanitizer_finish_switch_fiber(c->fake_outside, NULL, NULL);
}

void fiber_context_leave(struct fiber_context *c, bool dying)
{
	__sanitizer_start_switch_fiber(dying ? NULL : &c->fake_inside, c->outer_stack,
				       c->outer_size);
	swapcontext(&c->inside, &c->outside);
	__sanitizer_finish_switch_fiber(c->fake_inside, &c->outer_stack, &c->outer_size);
}

#else

static void first_entry(unsigned high, unsigned low)
{
	struct fiber_context *c = context_from_halves(high, low);

	c->entry(c->arg);
	check(!"a fiber's entry returned");
}

/* ucontext_t has 1 KiB on x86-64 and 4.5 on arm64, too much for a stack, and is needed no longer
 * than this takes. */
__attribute__((noreturn)) static void enter_first(struct fiber_context *c)
{
	static _Thread_local ucontext_t uc;

	prepare(c, &uc);
	setcontext(&uc);
	check(!"setcontext returned");
	abort();
}

void fiber_context_enter(struct fiber_context *c)
{
	if (_setjmp(c->outside))
		return;
	if (c->entered)
		_longjmp(c->inside, 1);
	c->entered = true;
	enter_first(c);
}

void fiber_context_leave(struct fiber_context *c, bool dying)
{
	c->dying = dying;
	if (_setjmp(c->inside))
		return;
	_longjmp(c->outside, 1);
}

#endif

void fiber_context_trim(struct fiber_context *c)
{
	/* Keep the page of this frame and the red zone below it. */
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t from = (uintptr_t)c->stack;
	uintptr_t to = (here - 1024) & ~(page_size() - 1);

	check(here > from && here <= from + FIBER_STACK_SIZE);
#ifndef WITH_ASAN
	if (to > from)
		(void)madvise(c->stack, to - from, MADV_DONTNEED);
#else
	(void)to;
#endif
}
