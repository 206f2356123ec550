/* Assertions that stay on in production, and the annotations every header uses. */
#pragma once

/* check(x) means "if this is false, Posthorn is wrong". It is never about what a peer sent, and x
 * has no side effects. A failed check prints the place and aborts; the supervisor restarts the
 * role. */
#define check(x) (__builtin_expect(!!(x), 1) ? (void)0 : check_failed(#x, __FILE__, __LINE__))

__attribute__((noreturn)) void check_failed(const char *what, const char *file, int line);

/* Out of memory for small things: abort, the supervisor starts the role afresh. */
__attribute__((noreturn)) void check_no_memory(void);

/* Called with one line of text before the process aborts; default: write it to stderr. */
void check_set_handler(void (*handler)(const char *line));

/* The caller must look at the result. */
#define must_check __attribute__((warn_unused_result))

/* The function may let other fibers run: no cached pointers into shared containers, no errno and
 * no OpenSSL error queue survive the call. Documentation for the reader and for the style tests. */
#define may_suspend

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The object that contains `member` at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
