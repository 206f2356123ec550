/* Days and months, as IMAP's dates need them: proleptic Gregorian, no time zones. */
#pragma once

#include <stdint.h>

#include "base/str.h"

extern const char calendar_months[12][4];

/* "Jan" is 1; 0 for what is no month. */
int calendar_month(struct str name);
int calendar_month_days(int year, int month);

/* Days from 1970-01-01 to the date. */
int64_t calendar_days(int year, int month, int day);
