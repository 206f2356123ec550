/* Message bytes from the stream into a receiver, with an eye on how fast they come. */
#pragma once

#include <stdint.h>

#include "base/check.h"

struct smtp_receive;
struct smtp_session;

/* Everything up to the end of data, or exactly one chunk of BDAT (thrown away when r == NULL).
 * 0, -ETIMEDOUT (silent, or slower than allowed), -EMSGSIZE (hopelessly too big), -ENODATA (the
 * peer hung up) or an error of the stream. After each of them the session is over. */
int may_suspend must_check smtp_transfer_data(struct smtp_session *s, struct smtp_receive *r);
int may_suspend must_check smtp_transfer_chunk(struct smtp_session *s, struct smtp_receive *r,
					       uint64_t size);
