/* A message for servers that take 7-bit text only (RFC 6152 3): parts with anything else are
 * encoded as quoted-printable or base64. */
#pragma once

#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct body;
struct err;

/* Longer messages are not converted. */
#define SEVEN_BIT_MAX ((uint64_t)128 << 20)

/* Write the converted message to a new file in memory. Slow: for a thread. 0; -E2BIG when it is too
 * long or too complex; -errno. */
int must_check seven_bit_write(struct str message, int *fd, uint64_t *length, struct err *err);

/* The same for a message in a file, in a thread. */
int may_suspend must_check seven_bit_make(const struct body *from, struct body *out,
					  struct err *err);
