/* Addresses that have waited for their greeting once, as mail servers do and many spam programs
 * do not: for a day they are greeted at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtp_known;

#define SMTP_KNOWN_MS ((int64_t)24 * 3600 * 1000)

/* Remembers at most `max` addresses; at the limit it begins anew. */
struct smtp_known *smtp_known_new(size_t max);
void smtp_known_free(struct smtp_known *k);

/* `now` is loop_now(). */
bool smtp_known_has(struct smtp_known *k, const char *address, int64_t now);
void smtp_known_add(struct smtp_known *k, const char *address, int64_t now);
