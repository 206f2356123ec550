/* The notations that setting values are written in. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

enum setting_type {
	SETTING_SWITCH,
	SETTING_INTEGER,
	SETTING_SIZE,
	SETTING_TIME,
	SETTING_TEXT,
	SETTING_PATH,
	SETTING_CHOICE,
};

/* A number in the notation of its type, not negative: INTEGER and SWITCH are plain digits, SIZE
 * gives bytes and TIME milliseconds. 0, -EINVAL (not such a number) or -ERANGE. */
int must_check setting_number_parse(enum setting_type type, struct str text, int64_t *out);

/* Switches compare numerically to 1: "1" and "01" are on, everything else is off. */
bool setting_switch_parse(struct str text);

/* Index of a word in a NULL-terminated list, or -1. */
int setting_word_find(const char *const *words, struct str text);
