/* How many recipients an account may have in an hour. A password that was stolen is used to send
 * as much as possible; a person is not. The hour slides: after it was used up, places come free
 * one by one. */
#pragma once

#include <stdint.h>

#include "base/map.h"
#include "base/str.h"

struct sending_rate {
	int64_t per_hour;    /* 0: any number */
	struct map accounts; /* struct sending_account */
};

void sending_rate_init(struct sending_rate *t, int64_t per_hour);
void sending_rate_done(struct sending_rate *t);

/* One more recipient. 0: it may have it; else in how many milliseconds, and it is not counted. */
int64_t sending_rate_take(struct sending_rate *t, struct str account, int64_t now_ms);
